//! Tables `tenant`, `person` and `own_charger`: terms, the erasable names, and who owns which charger.

use super::{Result, bad, to_i64, to_u64, words};
use domain::{
    ChargerId, Contact, OwnChargerUse, Tenant, TenantId, TenantLanguage, TenantStatus, TenantTerms, Timestamp, UnitKey,
    WattHours, Watts,
};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

words!(use_word, use_of, "tenant", OwnChargerUse {
    OwnChargerUse::OwnerOnly => "owner_only",
    OwnChargerUse::Everyone => "everyone",
    OwnChargerUse::OwnerPays => "owner_pays",
});

words!(language_word, language_of, "person", TenantLanguage {
    TenantLanguage::PortuguesePortugal => "pt-PT",
    TenantLanguage::PortugueseBrazil => "pt-BR",
    TenantLanguage::English => "en",
});

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    key: String,
    created_at_ms: i64,
    status: String,
    status_at_ms: Option<i64>,
    parking_spaces: String,
    charger_use: String,
    max_power_w: Option<u32>,
    priority: i32,
    monthly_cap_wh: Option<i64>,
    valid_from_ms: Option<i64>,
    valid_until_ms: Option<i64>,
    unit_key_millionths: Option<u32>,
    name: Option<String>,
    unit: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    language: Option<String>,
}

const fn status_word(status: TenantStatus) -> (&'static str, Option<i64>) {
    match status {
        TenantStatus::Active => ("active", None),
        TenantStatus::Archived(at) => ("archived", Some(at.0)),
        TenantStatus::Erased(at) => ("erased", Some(at.0)),
    }
}

fn status_of(word: &str, at_ms: Option<i64>) -> Result<TenantStatus> {
    let at = Timestamp(at_ms.unwrap_or_default());
    match word {
        "active" => Ok(TenantStatus::Active),
        "archived" => Ok(TenantStatus::Archived(at)),
        "erased" => Ok(TenantStatus::Erased(at)),
        other => Err(bad("tenant", format_args!("unknown word {other:?}"))),
    }
}

fn tenant(row: Row, chargers: Vec<ChargerId>) -> Result<Tenant> {
    let terms = TenantTerms {
        parking_spaces: row.parking_spaces.lines().map(str::to_owned).collect(),
        chargers,
        charger_use: use_of(&row.charger_use)?,
        max_power: row.max_power_w.map(Watts),
        priority: row.priority,
        monthly_cap: row.monthly_cap_wh.map(|wh| to_u64("tenant", wh)).transpose()?.map(WattHours),
        valid_from: row.valid_from_ms.map(Timestamp),
        valid_until: row.valid_until_ms.map(Timestamp),
        unit_key: row.unit_key_millionths.map(UnitKey),
    };
    Ok(Tenant {
        id: TenantId(row.id),
        key: row.key.parse().map_err(|error| bad("tenant", error))?,
        name: row.name.unwrap_or_default(),
        unit: row.unit.unwrap_or_default(),
        contact: Contact { email: row.email.unwrap_or_default(), phone: row.phone.unwrap_or_default() },
        language: row.language.as_deref().map(language_of).transpose()?.unwrap_or_default(),
        terms,
        status: status_of(&row.status, row.status_at_ms)?,
        created_at: Timestamp(row.created_at_ms),
    })
}

/// Updates in place: replacing the row would take the tenant's cards with it. The key is never changed.
pub(crate) async fn upsert(conn: &mut SqliteConnection, tenant: &Tenant) -> Result<()> {
    let terms = &tenant.terms;
    let (status, status_at_ms) = status_word(tenant.status);
    sqlx::query(
        "INSERT INTO tenant (id, key, created_at_ms, status, status_at_ms, parking_spaces, charger_use, max_power_w, priority,
             monthly_cap_wh, valid_from_ms, valid_until_ms, unit_key_millionths)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET created_at_ms = excluded.created_at_ms, status = excluded.status,
             status_at_ms = excluded.status_at_ms, parking_spaces = excluded.parking_spaces,
             charger_use = excluded.charger_use, max_power_w = excluded.max_power_w, priority = excluded.priority,
             monthly_cap_wh = excluded.monthly_cap_wh, valid_from_ms = excluded.valid_from_ms,
             valid_until_ms = excluded.valid_until_ms, unit_key_millionths = excluded.unit_key_millionths",
    )
    .bind(tenant.id.0)
    .bind(tenant.key.to_string())
    .bind(tenant.created_at.0)
    .bind(status)
    .bind(status_at_ms)
    .bind(terms.parking_spaces.join("\n"))
    .bind(use_word(terms.charger_use))
    .bind(terms.max_power.map(|power| power.0))
    .bind(terms.priority)
    .bind(terms.monthly_cap.map(|cap| to_i64(cap.0)))
    .bind(terms.valid_from.map(|at| at.0))
    .bind(terms.valid_until.map(|at| at.0))
    .bind(terms.unit_key.map(|key| key.0))
    .execute(&mut *conn)
    .await?;
    set_person(conn, tenant).await?;
    set_chargers(conn, tenant.id, &terms.chargers).await
}

async fn set_person(conn: &mut SqliteConnection, tenant: &Tenant) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO person (tenant, name, unit, email, phone, language) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(tenant.id.0)
        .bind(&tenant.name)
        .bind(&tenant.unit)
        .bind(&tenant.contact.email)
        .bind(&tenant.contact.phone)
        .bind(language_word(tenant.language))
        .execute(conn)
        .await?;
    Ok(())
}

async fn set_chargers(conn: &mut SqliteConnection, tenant: TenantId, chargers: &[ChargerId]) -> Result<()> {
    sqlx::query("DELETE FROM own_charger WHERE tenant = ?").bind(tenant.0).execute(&mut *conn).await?;
    for charger in chargers {
        sqlx::query("INSERT OR IGNORE INTO own_charger (tenant, charger) VALUES (?, ?)")
            .bind(tenant.0)
            .bind(charger.as_str())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Forgets the person: names, contact, cards, parking spaces and own chargers. Number, key and sums stay.
pub(crate) async fn erase(conn: &mut SqliteConnection, id: TenantId, at: Timestamp) -> Result<()> {
    // Overwrites what is removed, so that no name stays in a free page of the file.
    sqlx::query("PRAGMA secure_delete = ON").execute(&mut *conn).await?;
    for statement in [
        "DELETE FROM refused_card WHERE uid IN (SELECT uid FROM card WHERE tenant = ?)",
        "DELETE FROM person WHERE tenant = ?",
        "DELETE FROM own_charger WHERE tenant = ?",
        "DELETE FROM card WHERE tenant = ?",
    ] {
        sqlx::query(statement).bind(id.0).execute(&mut *conn).await?;
    }
    sqlx::query("UPDATE tenant SET status = 'erased', status_at_ms = ?, parking_spaces = '' WHERE id = ?")
        .bind(at.0)
        .bind(id.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<Tenant>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT t.*, p.name, p.unit, p.email, p.phone, p.language
         FROM tenant t LEFT JOIN person p ON p.tenant = t.id ORDER BY t.id",
    )
    .fetch_all(&mut *conn)
    .await?;
    let owned: Vec<(i64, String)> =
        sqlx::query_as("SELECT tenant, charger FROM own_charger ORDER BY tenant, charger").fetch_all(conn).await?;
    let mut chargers: BTreeMap<i64, Vec<ChargerId>> = BTreeMap::new();
    for (owner, charger) in owned {
        let charger = ChargerId::new(charger).map_err(|error| bad("own_charger", error))?;
        chargers.entry(owner).or_default().push(charger);
    }
    rows.into_iter()
        .map(|row| {
            let own = chargers.remove(&row.id).unwrap_or_default();
            tenant(row, own)
        })
        .collect()
}

/// Highest number ever given; 0 when none was.
pub(crate) async fn last_id(conn: &mut SqliteConnection) -> Result<TenantId> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'tenant'").fetch_optional(conn).await?;
    Ok(TenantId(last.unwrap_or(0)))
}
