//! Lists of tenants: look first, then import all of it or nothing.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure};
use crate::convert;
use crate::credentials::tenant_key;
use crate::import;
use api::{ImportColumn, ImportPreview, ImportProblem, ImportRequest, ImportRow};
use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use control::{Order, TenantImport};
use domain::{CardUid, TenantKey};

/// Import tenants with their cards from CSV; with `dry_run`, only say what it holds and what is wrong with it
#[utoipa::path(post, path = "/tenants/import", tag = "tenants", request_body = ImportRequest,
    responses((status = 200, body = ImportPreview), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn tenant_import(
    State(shared): State<Shared>,
    Body(request): Body<ImportRequest>,
) -> Answer<Json<ImportPreview>> {
    let bytes = STANDARD.decode(request.content_base64.trim());
    let bytes = bytes.map_err(|_not_base64| Failure::invalid("content_base64 must be the file in Base64"))?;
    let read = import::read(&bytes).map_err(|error| Failure::invalid(error.to_string()))?;
    let mut rows = read.rows;
    let mut list = Vec::with_capacity(rows.len());
    for row in &mut rows {
        if let Some(one) = checked(&shared, row)? {
            list.push(one);
        }
    }
    let wrong = rows.iter().filter(|row| !row.problems.is_empty()).count();
    let mut preview = ImportPreview {
        encoding: read.encoding.to_owned(),
        separator: read.separator.to_string(),
        wrong_rows: u32::try_from(wrong).unwrap_or(u32::MAX),
        rows,
        imported: false,
    };
    if request.dry_run {
        return Ok(Json(preview));
    }
    if wrong > 0 {
        return Err(Failure::invalid(format!(
            "{wrong} rows have something wrong, so nothing was imported; send it with dry_run to see what"
        )));
    }
    shared.order_kept(Order::ImportTenants(list)).await?;
    preview.imported = true;
    Ok(Json(preview))
}

/// The row as it would be imported; `None`, with the reason in the row, where it cannot be.
fn checked(shared: &Shared, row: &mut ImportRow) -> Answer<Option<TenantImport>> {
    let live = shared.live();
    let key: TenantKey = tenant_key().map_err(|_unavailable| Failure::internal())?;
    let mut wrong = |column, value: &str, detail: String| {
        row.problems.push(ImportProblem { column, value: value.to_owned(), detail });
    };
    let site = &live.state.site;
    let tenant = convert::tenant_from(&row.tenant, key, &site.time_zone);
    let tenant = match tenant {
        Ok(tenant) => match tenant.check(site.min_charge, site.nominal_voltage) {
            Ok(()) => Some(tenant),
            Err(error) => {
                let column = match error {
                    domain::TenantError::Name => ImportColumn::Name,
                    domain::TenantError::Email(_) => ImportColumn::Email,
                    domain::TenantError::Validity => ImportColumn::ValidUntil,
                    domain::TenantError::MaxPower { .. } => ImportColumn::MaxPower,
                    domain::TenantError::Cap => ImportColumn::MonthlyCap,
                    domain::TenantError::UnitKey => ImportColumn::UnitKey,
                };
                // An empty name is told by the reader already.
                if column != ImportColumn::Name {
                    wrong(column, "", error.to_string());
                }
                None
            }
        },
        Err(failure) => {
            wrong(ImportColumn::Name, &row.tenant.name, failure.into_detail());
            None
        }
    };
    let mut cards = Vec::new();
    for text in &row.cards {
        let Ok(uid) = CardUid::new(text) else { continue };
        if live.state.cards.iter().any(|card| card.uid == uid) {
            wrong(ImportColumn::Cards, text, "this card is enrolled already; remove it here or there".to_owned());
        }
        cards.push(uid);
    }
    let fine = row.problems.is_empty();
    Ok(tenant.filter(|_| fine).map(|tenant| TenantImport { tenant, cards }))
}
