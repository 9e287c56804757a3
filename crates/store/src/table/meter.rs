//! Table `meter`.

use super::{Result, bad, words};
use domain::{CircuitId, Meter, MeterId, MeterRole};
use sqlx::SqliteConnection;

words!(role_word, role_of, "meter", MeterRole {
    MeterRole::Circuit => "circuit",
    MeterRole::House => "house",
    MeterRole::Solar => "solar",
    MeterRole::Battery => "battery",
});

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    approved: bool,
    circuit: String,
    role: String,
}

impl TryFrom<Row> for Meter {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: MeterId::new(row.id).map_err(|error| bad("meter", error))?,
            name: row.name,
            approved: row.approved,
            circuit: CircuitId::new(row.circuit).map_err(|error| bad("meter", error))?,
            role: role_of(&row.role)?,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, meter: &Meter) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO meter (id, name, approved, circuit, role) VALUES (?, ?, ?, ?, ?)")
        .bind(meter.id.as_str())
        .bind(&meter.name)
        .bind(meter.approved)
        .bind(meter.circuit.as_str())
        .bind(role_word(meter.role))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn remove(conn: &mut SqliteConnection, id: &MeterId) -> Result<()> {
    sqlx::query("DELETE FROM meter WHERE id = ?").bind(id.as_str()).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<Meter>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM meter ORDER BY id").fetch_all(conn).await?;
    rows.into_iter().map(Meter::try_from).collect()
}
