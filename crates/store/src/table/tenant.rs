//! Table `tenant`.

use super::Result;
use domain::{Tenant, TenantId, Timestamp};
use sqlx::SqliteConnection;

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    unit: String,
    created_at_ms: i64,
}

impl From<Row> for Tenant {
    fn from(row: Row) -> Self {
        Self { id: TenantId(row.id), name: row.name, unit: row.unit, created_at: Timestamp(row.created_at_ms) }
    }
}

/// Updates in place: replacing the row would take the tenant's cards with it.
pub(crate) async fn upsert(conn: &mut SqliteConnection, tenant: &Tenant) -> Result<()> {
    sqlx::query(
        "INSERT INTO tenant (id, name, unit, created_at_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, unit = excluded.unit, created_at_ms = excluded.created_at_ms",
    )
    .bind(tenant.id.0)
    .bind(&tenant.name)
    .bind(&tenant.unit)
    .bind(tenant.created_at.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes the tenant and, by the foreign key, their cards.
pub(crate) async fn remove(conn: &mut SqliteConnection, id: TenantId) -> Result<()> {
    sqlx::query("DELETE FROM tenant WHERE id = ?").bind(id.0).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<Tenant>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM tenant ORDER BY id").fetch_all(conn).await?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

/// Highest number ever given; 0 when none was.
pub(crate) async fn last_id(conn: &mut SqliteConnection) -> Result<TenantId> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'tenant'").fetch_optional(conn).await?;
    Ok(TenantId(last.unwrap_or(0)))
}
