//! Cards that the company blocks or adds for its sites: asked for, obeyed, answered. Without the cloud nothing waits.

use super::{Clouds, Pace};
use crate::engine::{Happened, OrderRefused};
use control::{Order, OrderError};
use domain::{CardStatus, CardUid, TenantId};
use std::time::Duration;
use sync::Trouble;
use sync::postgres::{CardAction, CardOrder, Cloud};
use tokio::sync::{mpsc, oneshot, watch};

/// How often the cloud is asked: a card is blocked everywhere within a minute, also where one question failed.
const ASK_EVERY: Duration = Duration::from_secs(20);

pub(super) async fn run(
    clouds: &Clouds,
    engine: mpsc::WeakSender<Happened>,
    mut pace: Pace,
    mut drain: watch::Receiver<bool>,
) {
    let mut cloud: Option<Cloud> = None;
    let mut wake = clouds.0.wake.subscribe();
    loop {
        if let Err(trouble) = ask(clouds, &mut cloud, &engine).await {
            tracing::debug!(
                code = trouble.code,
                detail = trouble.detail,
                "no orders from the cloud: {}",
                trouble.sentence
            );
            cloud = None;
        }
        tokio::select! {
            () = crate::drain::drained(&mut drain) => return,
            // Settings changed: connect anew with them.
            _ = wake.changed() => cloud = None,
            () = pace.pass(ASK_EVERY) => {}
        }
    }
}

async fn ask(clouds: &Clouds, cloud: &mut Option<Cloud>, engine: &mpsc::WeakSender<Happened>) -> Result<(), Trouble> {
    if cloud.is_none() {
        let Some((settings, password)) = clouds.credentials().await? else { return Ok(()) };
        let site = clouds.computer().await.map_err(|detail| super::own_trouble("outbox", detail))?.site;
        *cloud = Some(Cloud::look(&settings, &password, &site).await?);
    }
    let Some(open) = cloud else { return Ok(()) };
    for order in open.card_orders().await? {
        let outcome = obey(&order, engine).await;
        tracing::info!(order = order.id, ?outcome, "an order about a card came from the cloud");
        open.card_order_answer(order.id, outcome).await?;
    }
    Ok(())
}

async fn obey(order: &CardOrder, engine: &mpsc::WeakSender<Happened>) -> Result<(), String> {
    let uid = CardUid::new(&order.uid).map_err(|error| error.to_string())?;
    let asked = match order.action {
        CardAction::Block => Order::SetCardStatus { uid, status: CardStatus::Blocked },
        CardAction::Unblock => Order::SetCardStatus { uid, status: CardStatus::Active },
        CardAction::Add => {
            let tenant = order.tenant.ok_or("the order names no tenant")?;
            Order::AddCard { tenant: TenantId(tenant), uid }
        }
    };
    let ending = || "the program is ending".to_owned();
    let engine = engine.upgrade().ok_or_else(ending)?;
    let (reply, answer) = oneshot::channel();
    engine.send(Happened::Order { order: asked, reply }).await.map_err(|_ended| ending())?;
    match answer.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(OrderRefused::Refused(error @ OrderError::CardTaken { .. }))) => Err(error.to_string()),
        Ok(Err(OrderRefused::Refused(error))) => Err(crate::error::chain(&error)),
        Ok(Err(OrderRefused::NotKept)) => Err("it is in force, but only until the disk works again".to_owned()),
        Err(_dropped) => Err(ending()),
    }
}
