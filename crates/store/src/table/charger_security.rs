//! Table `charger_security`: what is demanded of chargers that connect.

use super::{Result, bad};
use domain::{ChargerId, ChargerSecurity, SecurityProfile};
use sqlx::SqliteConnection;

pub(crate) async fn upsert(conn: &mut SqliteConnection, security: &ChargerSecurity) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO charger_security (charger, target, enforced) VALUES (?, ?, ?)")
        .bind(security.charger.as_str())
        .bind(security.target.map(SecurityProfile::number))
        .bind(security.enforced.number())
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn remove(conn: &mut SqliteConnection, charger: &ChargerId) -> Result<()> {
    sqlx::query("DELETE FROM charger_security WHERE charger = ?").bind(charger.as_str()).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<ChargerSecurity>> {
    let rows: Vec<(String, Option<u8>, u8)> =
        sqlx::query_as("SELECT charger, target, enforced FROM charger_security ORDER BY charger")
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(charger, target, enforced)| {
            Ok(ChargerSecurity {
                charger: ChargerId::new(charger).map_err(|error| bad("charger_security", error))?,
                target: target.map(profile).transpose()?,
                enforced: profile(enforced)?,
            })
        })
        .collect()
}

fn profile(number: u8) -> Result<SecurityProfile> {
    SecurityProfile::from_number(number)
        .ok_or_else(|| bad("charger_security", format_args!("{number} is no security profile")))
}
