//! Table `site`: at most one row.

use super::{Result, bad, from_json, to_i64, to_json, to_u64, words};
use domain::{Connection, DurationMs, MilliAmps, MilliVolts, Pacing, PhaseCount, Site, VoltAmps};
use sqlx::SqliteConnection;

words!(connection_word, connection_of, "site", Connection {
    Connection::LineNeutral => "line_neutral",
    Connection::LineLine => "line_line",
});
words!(pacing_word, pacing_of, "site", Pacing {
    Pacing::Careful => "careful",
    Pacing::Published => "published",
});

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    time_zone: String,
    currency: String,
    nominal_voltage_mv: u32,
    connection: String,
    phases: i64,
    contracted_va: u32,
    main_fuse_ma: u32,
    margin_ma: u32,
    min_charge_ma: u32,
    max_active_chargers: Option<u16>,
    max_meters: u16,
    control_interval_ms: i64,
    declared_load_ma: u32,
    meter_max_age_ms: i64,
    pacing: String,
    rules: String,
}

impl TryFrom<Row> for Site {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            name: row.name,
            time_zone: row.time_zone,
            currency: row.currency,
            nominal_voltage: MilliVolts(row.nominal_voltage_mv),
            connection: connection_of(&row.connection)?,
            phases: match row.phases {
                1 => PhaseCount::One,
                3 => PhaseCount::Three,
                other => return Err(bad("site", format_args!("{other} phases"))),
            },
            contracted: VoltAmps(row.contracted_va),
            main_fuse: MilliAmps(row.main_fuse_ma),
            margin: MilliAmps(row.margin_ma),
            min_charge: MilliAmps(row.min_charge_ma),
            max_active_chargers: row.max_active_chargers,
            max_meters: row.max_meters,
            control_interval: DurationMs(to_u64("site", row.control_interval_ms)?),
            declared_load: MilliAmps(row.declared_load_ma),
            meter_max_age: DurationMs(to_u64("site", row.meter_max_age_ms)?),
            pacing: pacing_of(&row.pacing)?,
            rules: from_json("site", &row.rules)?,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, site: &Site) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO site (id, name, time_zone, currency, nominal_voltage_mv, connection, phases,
             contracted_va, main_fuse_ma, margin_ma, min_charge_ma, max_active_chargers, max_meters,
             control_interval_ms, declared_load_ma, meter_max_age_ms, pacing, rules)
         VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&site.name)
    .bind(&site.time_zone)
    .bind(&site.currency)
    .bind(site.nominal_voltage.0)
    .bind(connection_word(site.connection))
    .bind(match site.phases {
        PhaseCount::One => 1_i64,
        PhaseCount::Three => 3,
    })
    .bind(site.contracted.0)
    .bind(site.main_fuse.0)
    .bind(site.margin.0)
    .bind(site.min_charge.0)
    .bind(site.max_active_chargers)
    .bind(site.max_meters)
    .bind(to_i64(site.control_interval.0))
    .bind(site.declared_load.0)
    .bind(to_i64(site.meter_max_age.0))
    .bind(pacing_word(site.pacing))
    .bind(to_json(&site.rules))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<Option<Site>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM site").fetch_optional(conn).await?;
    row.map(Site::try_from).transpose()
}
