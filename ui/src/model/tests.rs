//! What the model does with arrivals that come early, late, broken or refused.

use super::*;
use crate::fixtures;
use api::ResetKind;

fn inside() -> Model {
    let mut model = Model::new(Language::English, None);
    model.start(None);
    answer(&mut model, 200, r#"{"signed_in":true,"setup_needed":false,"demo":false}"#);
    model
}

/// Answers the newest request.
fn answer(model: &mut Model, status: u16, body: &str) {
    let token = model.next_token;
    model.arrive(Arrival::Answer { token, status, body: body.to_owned() });
}

fn live(model: &mut Model, message: &LiveMessage) {
    model.arrive(Arrival::Live(serde_json::to_string(message).unwrap()));
}

/// An outcome that overtakes the answer with its number is not lost.
#[test]
fn an_outcome_may_arrive_before_its_number() {
    let mut model = inside();
    model.command(Command::Reset("CP-01".to_owned(), ResetKind::Soft));
    let outcome = CommandState {
        id: 7,
        charger: "CP-01".to_owned(),
        what: "reset".to_owned(),
        outcome: CommandOutcome::Accepted,
        answer: serde_json::Value::Null,
    };
    live(&mut model, &LiveMessage::Command(outcome));
    answer(&mut model, 202, r#"{"command_id":7}"#);
    assert_eq!(model.outcomes.first().map(|(_, state)| state.outcome), Some(CommandOutcome::Accepted));
    assert_eq!(model.toasts.list().len(), 1, "the outcome is said once");
}

/// A snapshot that cannot be read is said, and the console goes on with the last one.
#[test]
fn an_unreadable_message_does_not_stop_the_console() {
    let mut model = inside();
    live(&mut model, &LiveMessage::Snapshot(Box::new(fixtures::snapshot())));
    model.arrive(Arrival::Live(r#"{"type":"snapshot","revision":"x"}"#.to_owned()));
    assert!(model.snapshot.is_some() && model.toasts.list().len() == 1);
}

/// A one-time ticket signs in without a password; a spent one leads to the password.
#[test]
fn a_ticket_signs_in_or_leads_to_the_password() {
    for (status, signed_in, stage) in [(200, true, Stage::Inside), (401, false, Stage::SignIn)] {
        let mut model = Model::new(Language::English, None);
        model.start(Some("t1".to_owned()));
        let sent = model.effects();
        let Some(Effect::Send(request)) = sent.first() else { panic!("nothing sent: {sent:?}") };
        assert_eq!((request.path.as_str(), request.body.as_deref()), ("login/ticket", Some(r#"{"ticket":"t1"}"#)));
        answer(&mut model, status, "{}");
        answer(&mut model, 200, &format!(r#"{{"signed_in":{signed_in},"setup_needed":false,"demo":false}}"#));
        assert_eq!(model.stage, stage);
    }
}

/// Portuguese people read known problems and known sentences in Portuguese, and the server's words otherwise.
#[test]
fn problems_are_said_in_the_persons_language() {
    let problem = |code| Problem {
        kind: "about:blank".to_owned(),
        title: String::new(),
        status: 409,
        detail: "in English".to_owned(),
        code,
    };
    assert_eq!(problem_text(&problem(Code::WrongPassword), Language::Portuguese), "A palavra-passe está errada");
    assert_eq!(problem_text(&problem(Code::Invalid), Language::Portuguese), "in English");
    assert_eq!(problem_text(&problem(Code::WrongPassword), Language::English), "in English");
    let known = Problem { detail: "a tenant needs a name; enter one".to_owned(), ..problem(Code::Invalid) };
    assert_eq!(problem_text(&known, Language::Portuguese), "um condómino precisa de um nome; escreva-o");
    assert_eq!(problem_text(&known, Language::English), known.detail);
}
