//! Table `charger`.

use super::{Result, bad, from_json, to_json, words};
use domain::{Charger, ChargerId, CircuitId, MilliAmps, Phase, Protocol, Wiring};
use sqlx::SqliteConnection;

words!(protocol_word, protocol_of, "charger", Protocol {
    Protocol::Ocpp16 => "ocpp1.6",
    Protocol::Ievcc => "ievcc",
    Protocol::Metered => "metered",
});

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    protocol: String,
    name: String,
    registered: u32,
    approved: bool,
    priority: i32,
    max_ma: u32,
    fallback_ma: u32,
    circuit: String,
    wiring: String,
    connectors: u16,
    policy: String,
}

fn wiring_of(text: &str) -> Result<Wiring> {
    let wires: Option<Vec<Phase>> = text.bytes().map(|byte| Phase::from_number(byte.wrapping_sub(b'0'))).collect();
    let wires = wires.ok_or_else(|| bad("charger", format_args!("wiring {text:?}")))?;
    Wiring::new(wires).map_err(|error| bad("charger", error))
}

fn wiring_word(wiring: &Wiring) -> String {
    wiring.wires().iter().map(|phase| phase.number().to_string()).collect()
}

impl TryFrom<Row> for Charger {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: ChargerId::new(row.id).map_err(|error| bad("charger", error))?,
            protocol: protocol_of(&row.protocol)?,
            name: row.name,
            registered: row.registered,
            approved: row.approved,
            priority: row.priority,
            max: MilliAmps(row.max_ma),
            fallback: MilliAmps(row.fallback_ma),
            circuit: CircuitId::new(row.circuit).map_err(|error| bad("charger", error))?,
            wiring: wiring_of(&row.wiring)?,
            connectors: row.connectors,
            policy: from_json("charger", &row.policy)?,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, charger: &Charger) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO charger (id, protocol, name, registered, approved, priority, max_ma, fallback_ma, circuit,
             wiring, connectors, policy)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(charger.id.as_str())
    .bind(protocol_word(charger.protocol))
    .bind(&charger.name)
    .bind(charger.registered)
    .bind(charger.approved)
    .bind(charger.priority)
    .bind(charger.max.0)
    .bind(charger.fallback.0)
    .bind(charger.circuit.as_str())
    .bind(wiring_word(&charger.wiring))
    .bind(charger.connectors)
    .bind(to_json(&charger.policy))
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes what belongs to the configuration; sessions and readings stay.
pub(crate) async fn remove(conn: &mut SqliteConnection, id: &ChargerId) -> Result<()> {
    sqlx::query("DELETE FROM charger WHERE id = ?").bind(id.as_str()).execute(&mut *conn).await?;
    super::hardware::remove(conn, id).await?;
    super::charger_security::remove(conn, id).await?;
    super::fact::remove(conn, &format!("charger/{id}")).await?;
    super::hold::set(conn, id, None).await
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<Charger>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM charger ORDER BY registered, id").fetch_all(conn).await?;
    rows.into_iter().map(Charger::try_from).collect()
}
