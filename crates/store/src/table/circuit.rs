//! Table `circuit`: the whole tree is replaced at once.

use super::{Result, bad, from_json, to_json};
use domain::{Circuit, CircuitId, CircuitTree, MilliAmps, PerPhase};
use sqlx::SqliteConnection;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    parent: Option<String>,
    limit_l1_ma: u32,
    limit_l2_ma: u32,
    limit_l3_ma: u32,
    rating: String,
}

impl TryFrom<Row> for Circuit {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        let id = |text: String| CircuitId::new(text).map_err(|error| bad("circuit", error));
        Ok(Self {
            id: id(row.id)?,
            name: row.name,
            parent: row.parent.map(id).transpose()?,
            limit: PerPhase::new(row.limit_l1_ma, row.limit_l2_ma, row.limit_l3_ma).map(MilliAmps),
            rating: from_json("circuit", &row.rating)?,
        })
    }
}

pub(crate) async fn replace_all(conn: &mut SqliteConnection, circuits: &[Circuit]) -> Result<()> {
    sqlx::query("DELETE FROM circuit").execute(&mut *conn).await?;
    for circuit in circuits {
        sqlx::query(
            "INSERT INTO circuit (id, name, parent, limit_l1_ma, limit_l2_ma, limit_l3_ma, rating)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(circuit.id.as_str())
        .bind(&circuit.name)
        .bind(circuit.parent.as_ref().map(CircuitId::as_str))
        .bind(circuit.limit.l1.0)
        .bind(circuit.limit.l2.0)
        .bind(circuit.limit.l3.0)
        .bind(to_json(&circuit.rating))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<Option<CircuitTree>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM circuit ORDER BY id").fetch_all(conn).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let circuits = rows.into_iter().map(Circuit::try_from).collect::<Result<Vec<_>>>()?;
    CircuitTree::new(circuits).map(Some).map_err(|error| bad("circuit", error))
}
