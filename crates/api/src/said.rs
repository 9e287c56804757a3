//! What the program says in sentences of its own, again in Portuguese: the English sentence is the key, so that a client
//! with only the text of an answer can say it to a Portuguese reader.
//!
//! `{}` stands for a part that is put in; parts keep their order. A sentence that is not here is shown as it came.

/// The sentence in Portuguese; sentences joined by `: ` (what failed and why) or `; ` one by one. `None` when no part of it
/// is known.
#[must_use]
pub fn in_portuguese(english: &str) -> Option<String> {
    whole(english).or_else(|| joined(english, ": ")).or_else(|| joined(english, "; "))
}

fn whole(english: &str) -> Option<String> {
    SENTENCES.iter().find_map(|(pattern, portuguese)| {
        // A part may be a sentence of its own: why something cannot be read.
        let parts = parts(pattern, english)?;
        let parts: Vec<String> = parts.into_iter().map(|part| whole(part).unwrap_or_else(|| part.to_owned())).collect();
        Some(fill(portuguese, &parts))
    })
}

/// Two sentences said one after the other; a sentence may itself contain what stands between them.
fn joined(english: &str, between: &str) -> Option<String> {
    /// Messages have a handful of parts; what people typed into them must not make this slow.
    const PLACES_MAX: usize = 8;
    let places = || {
        let cut = |(at, _): (usize, &str)| Some((english.get(..at)?, english.get(at + between.len()..)?));
        english.match_indices(between).take(PLACES_MAX).filter_map(cut)
    };
    let left = places().find_map(|(left, right)| Some((whole(left)?, right)));
    if let Some((left, right)) = left {
        let right = in_portuguese(right).unwrap_or_else(|| right.to_owned());
        return Some(format!("{left}{between}{right}"));
    }
    places().find_map(|(left, right)| Some(format!("{left}{between}{}", whole(right)?)))
}

/// What stands in the gaps of a pattern; `None` where the text is another sentence. Capital first letters are alike.
fn parts<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}");
    let first = pieces.next()?;
    let head = text.get(..first.len())?;
    if head != first && lower_first(head) != lower_first(first) {
        return None;
    }
    let mut rest = text.get(first.len()..)?;
    let mut found = Vec::new();
    let pieces: Vec<&str> = pieces.collect();
    for (index, piece) in pieces.iter().enumerate() {
        let is_last = index + 1 == pieces.len();
        let at = match (is_last, piece.is_empty()) {
            (true, true) => rest.len(),
            (true, false) => rest.len().checked_sub(piece.len()).filter(|at| rest.get(*at..) == Some(*piece))?,
            (false, _) => rest.find(piece)?,
        };
        found.push(rest.get(..at)?);
        rest = rest.get(at + piece.len()..)?;
    }
    rest.is_empty().then_some(found)
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn fill(portuguese: &str, parts: &[String]) -> String {
    let mut pieces = portuguese.split("{}");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for (piece, part) in pieces.zip(parts.iter().map(String::as_str).chain(std::iter::repeat(""))) {
        out.push_str(part);
        out.push_str(piece);
    }
    out
}

/// English and Portuguese, in the order of the pages they come from.
const SENTENCES: &[(&str, &str)] = &[
    // Anywhere.
    ("{} must be a time such as 2026-11-01T00:00:00Z", "{} tem de ser uma data e hora como 2026-11-01T00:00:00Z"),
    ("from must lie before to", "o início tem de ser anterior ao fim"),
    ("from is needed", "falta o início do período"),
    ("to must be after from, and at most {} days later", "o fim tem de ser depois do início, no máximo {} dias depois"),
    ("step_s must be at least 1", "step_s tem de ser pelo menos 1"),
    ("series must name 1 to {} series, such as house/power_w", "escolha de 1 a {} séries"),
    (
        "That is more than {} steps; ask for a longer step_s or a shorter time",
        "São mais de {} valores; escolha um período mais curto",
    ),
    ("cursor is no longer in this list; start again without one", "a lista mudou entretanto; volte a abri-la"),
    ("{} is no cursor of this list: start again without one", "a lista mudou entretanto; volte a abri-la"),
    ("limit must be between 1 and {}", "o limite tem de estar entre 1 e {}"),
    ("an identity cannot be empty", "uma identidade não pode ficar vazia"),
    ("an identity cannot contain {}", "uma identidade não pode conter {}"),
    (
        "an identity has at most {} characters, this one has {}",
        "uma identidade tem no máximo {} caracteres, esta tem {}",
    ),
    ("a name cannot be empty; enter one", "o nome não pode ficar vazio; escreva um"),
    ("reason has at most {} characters", "o motivo tem no máximo {} caracteres"),
    ("nothing changes; alter at least one value", "nada muda; altere pelo menos um valor"),
    (
        "say why, so that the change can be explained later",
        "diga porquê, para mais tarde se poder explicar a alteração",
    ),
    ("The body is larger than 1 MiB; send less at once", "O envio tem mais de 1 MiB; envie menos de cada vez"),
    ("Something failed here; see the log and report it", "Algo falhou aqui; veja o registo e comunique-o"),
    (
        "It is in force, but could not be kept yet; free space on the disk or check it",
        "Está em vigor, mas ainda não se conseguiu guardar; liberte espaço no disco ou verifique-o",
    ),
    (
        "the program is ending; try again when it runs",
        "o programa está a terminar; tente de novo quando estiver a funcionar",
    ),
    ("the program is ending", "o programa está a terminar"),
    ("Open the console by this computer's name or address", "Abra a consola pelo nome ou endereço deste computador"),
    (
        "This request comes from another page; open the console itself",
        "Este pedido vem de outra página; abra a própria consola",
    ),
    (
        "This is a real building; start the demo for the demo panel",
        "Este é um edifício real; inicie a demonstração para ter o painel dela",
    ),
    ("The set-up was done before; sign in instead", "A configuração já foi feita; inicie sessão"),
    (
        "No password is set yet; answer the first-run questions",
        "Ainda não há palavra-passe; responda às primeiras perguntas",
    ),
    (
        "Answer the first-run questions on the computer Meshwatt runs on",
        "Responda às primeiras perguntas no computador onde o Meshwatt funciona",
    ),
    ("password must have at least {} characters", "a palavra-passe tem de ter pelo menos {} caracteres"),
    ("A password has at most {} characters", "Uma palavra-passe tem no máximo {} caracteres"),
    // The records.
    ("the records cannot be read or written", "os registos não se conseguem ler ou escrever"),
    ("the records cannot be used", "os registos não se conseguem usar"),
    ("the database refused", "a base de dados recusou"),
    ("a record was refused because it contradicts the others", "um registo foi recusado porque contradiz os outros"),
    ("another program holds the records: close it", "outro programa tem os registos abertos: feche-o"),
    (
        "the disk is full: free some space, charging goes on from memory until then",
        "o disco está cheio: liberte espaço; até lá os carregamentos continuam a partir da memória",
    ),
    (
        "the disk failed: check its cable and health, and whether the data directory is still there",
        "o disco falhou: verifique o cabo, o estado do disco e se a pasta de dados ainda lá está",
    ),
    (
        "{} is no copy of Meshwatt's records, or is not there: choose a file such as meshwatt-20261120T030000Z.db",
        "{} não é uma cópia dos registos do Meshwatt, ou não existe: escolha um ficheiro como meshwatt-20261120T030000Z.db",
    ),
    (
        "the copy {} is damaged: choose another one; nothing was changed",
        "a cópia {} está danificada: escolha outra; nada foi alterado",
    ),
    (
        "the disk failed or became read-only: check its cable and health, and whether the data directory is still there",
        "o disco falhou ou ficou só de leitura: verifique o cabo e o estado dele, e se a pasta de dados ainda existe",
    ),
    (
        "the records cannot be written because the disk or the file is read-only: make it writable",
        "os registos não se conseguem escrever porque o disco ou o ficheiro é só de leitura: permita a escrita",
    ),
    (
        "the records are damaged: restart Meshwatt, it sets the damaged file aside",
        "os registos estão danificados: reinicie o Meshwatt, que põe o ficheiro danificado de lado",
    ),
    (
        "the records are closed because the program is stopping",
        "os registos estão fechados porque o programa está a terminar",
    ),
    (
        "another Meshwatt already uses {}: stop it, or give this one a data directory of its own",
        "outro Meshwatt já usa {}: pare-o, ou dê a este uma pasta de dados própria",
    ),
    (
        "the data directory {} cannot be used: check that it exists and that this user may write there",
        "a pasta de dados {} não serve: verifique que existe e que este utilizador lá pode escrever",
    ),
    (
        "the records in {} have format {}, this program knows up to {}: install the newer Meshwatt again",
        "os registos em {} têm o formato {}, este programa conhece até ao {}: volte a instalar o Meshwatt mais recente",
    ),
    (
        "the records were damaged and have been set aside as {}: restore a backup, or go on with empty records",
        "os registos estavam danificados e foram postos de lado como {}: reponha uma cópia, ou continue com registos vazios",
    ),
    (
        "the records cannot be brought to the format of this program",
        "os registos não se conseguem passar para o formato deste programa",
    ),
    ("a row of {} cannot be understood: {}", "uma linha de {} não se percebe: {}"),
    // Tenants and cards.
    ("a tenant key has 32 hexadecimal digits", "a chave de um condómino tem 32 algarismos hexadecimais"),
    ("a tenant needs a name; enter one", "um condómino precisa de um nome; escreva-o"),
    (
        "the e-mail address {} cannot exist; enter one such as ana@example.com or leave it empty",
        "o endereço de correio {} não pode existir; escreva um como ana@example.com ou deixe vazio",
    ),
    (
        "max_power_kw must be at least {} W, the least a car charges with, or empty for no such rule",
        "a potência máxima tem de ser pelo menos {} W, o mínimo com que um carro carrega, ou vazia para não haver limite",
    ),
    (
        "monthly_cap_kwh must be more than 0, or empty for no such rule; block the cards to allow nothing",
        "o limite mensal tem de ser superior a 0, ou vazio para não haver limite; para nada permitir, bloqueie os cartões",
    ),
    (
        "valid_until must be later than valid_from; change one of them or leave one empty",
        "«válido até» tem de ser depois de «válido desde»; mude um deles ou deixe um vazio",
    ),
    ("unit_key_permille must be more than 0 and at most 1000", "a permilagem tem de ser superior a 0 e no máximo 1000"),
    ("tenant {} was erased; create a new tenant", "o condómino {} foi apagado; crie um novo"),
    ("the tenant cannot be saved", "o condómino não se consegue guardar"),
    ("there is no tenant {}; choose one from the list of tenants", "não há condómino {}; escolha um da lista"),
    (
        "the card {} already belongs to {}; remove it there first",
        "o cartão {} já pertence a {}; retire-o primeiro de lá",
    ),
    ("the card {} is not enrolled; enrol it first", "o cartão {} não está registado; registe-o primeiro"),
    (
        "the charger {} already belongs to {}; remove it there first",
        "o carregador {} já pertence a {}; retire-o primeiro de lá",
    ),
    ("a card number cannot be empty", "o número de um cartão não pode ficar vazio"),
    ("a card number cannot contain {}", "o número de um cartão não pode conter {}"),
    (
        "a card number has at most {} characters, this one has {}",
        "o número de um cartão tem no máximo {} caracteres, este tem {}",
    ),
    ("alias_of must be a card of the same tenant", "a outra leitura tem de ser de um cartão do mesmo condómino"),
    (
        "no card was captured; start enrolling and tap a card first",
        "nenhum cartão foi lido; comece o registo e passe primeiro um cartão",
    ),
    (
        "no enrolment waits for a card; start enrolling, then read the card",
        "nenhum registo espera por um cartão; comece o registo e leia depois o cartão",
    ),
    ("ttl_s must be between 1 and {}", "a espera tem de estar entre 1 e {} segundos"),
    (
        "this build reads no smart card readers; use one that types",
        "esta versão do programa não lê leitores de cartões; use um que escreve como um teclado",
    ),
    (
        "this card tells no number (answer {}); hold a contactless card to it",
        "este cartão não diz o seu número (resposta {}); encoste um cartão sem contacto",
    ),
    ("the card gave no answer; hold it still for a second", "o cartão não respondeu; mantenha-o quieto um segundo"),
    // The import of a list.
    ("the file is empty", "o ficheiro está vazio"),
    (
        "the file is empty; the first line names the columns, such as name;unit;email;cards",
        "o ficheiro está vazio; a primeira linha dá nome às colunas, como nome;fração;email;cartões",
    ),
    (
        "no column is called name; the first line names the columns, such as name;unit;email;cards",
        "nenhuma coluna se chama nome; a primeira linha dá nome às colunas, como nome;fração;email;cartões",
    ),
    (
        "the column {} is not known; remove it or call it name, unit, email, phone, language, cards, parking_spaces, chargers, max_power_kw, priority, monthly_cap_kwh, valid_from, valid_until or unit_key_permille",
        "a coluna {} não é conhecida; retire-a ou chame-lhe nome, fração, email, telefone, idioma, cartões, lugares, carregadores, potência máxima kW, prioridade, limite mensal kWh, válido desde, válido até ou permilagem",
    ),
    ("the column {} comes twice; remove one of the two", "a coluna {} aparece duas vezes; retire uma das duas"),
    (
        "the card {} is in the list twice; remove one of the two",
        "o cartão {} está duas vezes na lista; retire um dos dois",
    ),
    (
        "the file is UTF-16; save it as CSV UTF-8 and try again",
        "o ficheiro está em UTF-16; guarde-o como CSV UTF-8 e tente de novo",
    ),
    (
        "the letters of line {} cannot be read (\"{}\"); save the file as CSV UTF-8 and try again",
        "as letras da linha {} não se conseguem ler («{}»); guarde o ficheiro como CSV UTF-8 e tente de novo",
    ),
    (
        "the quotation mark opened in line {} is never closed; close it",
        "as aspas abertas na linha {} nunca fecham; feche-as",
    ),
    ("a list has at most {} rows; split it", "uma lista tem no máximo {} linhas; divida-a"),
    (
        "{} rows have something wrong, so nothing was imported; send it with dry_run to see what",
        "{} linhas têm algo errado, por isso nada foi importado; veja a pré-visualização",
    ),
    ("content_base64 must be the file in Base64", "o ficheiro não chegou inteiro; escolha-o de novo"),
    (
        "this card is in the list twice; remove one of the two",
        "este cartão está duas vezes na lista; retire um dos dois",
    ),
    ("write pt-PT, pt-BR or en, or leave it empty", "escreva pt-PT, pt-BR ou en, ou deixe vazio"),
    (
        "a card number has letters and digits; separate several with |",
        "o número de um cartão tem letras e algarismos; separe vários com |",
    ),
    (
        "write a day such as 2026-11-01 or 01/11/2026, or leave it empty",
        "escreva um dia como 2026-11-01 ou 01/11/2026, ou deixe vazio",
    ),
    ("write a number such as 7.4 or 7,4, or leave it empty", "escreva um número como 7,4 ou 7.4, ou deixe vazio"),
    ("write a whole number, or leave it empty", "escreva um número inteiro, ou deixe vazio"),
    ("correct it or leave it empty", "corrija ou deixe vazio"),
    ("priority must be between -1000 and 1000", "a prioridade tem de estar entre -1000 e 1000"),
    // Sessions.
    ("the session {} does not run; choose one that does", "a sessão {} não está a decorrer; escolha uma que esteja"),
    ("session {} still runs; end it first, then correct it", "a sessão {} ainda decorre; termine-a e corrija-a depois"),
    (
        "a session cannot end before it starts or in the future; correct the times",
        "uma sessão não pode acabar antes de começar nem no futuro; corrija as horas",
    ),
    (
        "this charger can deliver at most {} in that time; check the energy and the times",
        "este carregador consegue dar no máximo {} nesse tempo; verifique a energia e as horas",
    ),
    (
        "this end happened at another charger or before the session began; choose another session",
        "este fim foi noutro carregador ou antes de a sessão começar; escolha outra sessão",
    ),
    (
        "the register at this end is lower than at the session's start; dismiss the end and correct the session by hand",
        "o contador neste fim é inferior ao do início da sessão; rejeite o fim e corrija a sessão à mão",
    ),
    (
        "this end was decided before; read the list for what is open",
        "este fim já foi decidido; veja na lista o que está em aberto",
    ),
    ("no session runs at connector {} of {}", "nenhuma sessão decorre na tomada {} de {}"),
    (
        "a wish needs more than 0 and at most 1000 kWh, and a time within the next 14 days",
        "um pedido precisa de mais de 0 e no máximo 1000 kWh, e de uma hora nos próximos 14 dias",
    ),
    ("this card is blocked; unblock it or take another", "este cartão está bloqueado; desbloqueie-o ou use outro"),
    (
        "nobody enrolled this card; enrol it for a tenant first",
        "ninguém registou este cartão; registe-o primeiro para um condómino",
    ),
    // Tariffs.
    (
        "something cannot be read yet ({}); write dates as 2026-11-01, times as 07:30 and prices as 0.15",
        "há algo que ainda não se consegue ler ({}); escreva datas como 2026-11-01, horas como 07:30 e preços como 0.15",
    ),
    ("invalid value: string {}, expected a Decimal type representing a fixed-point number", "{} não é um número"),
    // Statements.
    ("{} is no month; write it as 2026-10", "{} não é um mês; escreva-o como 2026-10"),
    (
        "the building has no settings yet; finish the set-up first",
        "o edifício ainda não tem definições; termine primeiro a configuração",
    ),
    ("the time zone of the building is wrong", "o fuso horário do edifício está errado"),
    (
        "there is no time zone {}; use a name such as Europe/Lisbon or America/Sao_Paulo",
        "não há fuso horário {}; use um nome como Europe/Lisbon ou America/Sao_Paulo",
    ),
    (
        "the {} cannot be read; save it again in the console",
        "o documento «{}» não se consegue ler; guarde-o de novo na consola",
    ),
    (
        "the month cannot close yet: {} to settle; see its obstacles",
        "o mês ainda não pode fechar: {} por resolver; veja o que impede",
    ),
    (
        "the month is closed already; what comes later becomes a correction of the next one",
        "o mês já está fechado; o que vier depois torna-se um acerto do seguinte",
    ),
    ("this obstacle cannot be accepted; do what it asks for", "isto não se pode aceitar; faça o que pede"),
    ("this tenant has no statement in this month", "este condómino não tem extrato neste mês"),
    (
        "Close the month first: what is sent must not change any more",
        "Feche primeiro o mês: o que se envia já não pode mudar",
    ),
    ("there are no statements in {}; choose pt-PT, pt-BR or en", "não há extratos em {}; escolha pt-PT, pt-BR ou en"),
    (
        "this file is no PNG or JPEG picture; choose one that is",
        "este ficheiro não é uma imagem PNG ou JPEG; escolha uma que o seja",
    ),
    (
        "this picture has more than {} KiB; make it smaller, 1000 pixels across are plenty",
        "esta imagem tem mais de {} KiB; reduza-a, 1000 píxeis de largura chegam",
    ),
    (
        "this picture is damaged; save it again as PNG and choose that",
        "esta imagem está danificada; guarde-a de novo como PNG e escolha essa",
    ),
    (
        "a font inside the program is damaged; install it again",
        "uma letra do programa está danificada; instale-o de novo",
    ),
    ("the PDF cannot be written: {}", "o PDF não se consegue escrever: {}"),
    ("the workbook cannot be written", "o livro de Excel não se consegue escrever"),
    ("the archive cannot be written", "o arquivo não se consegue escrever"),
    ("the statement cannot be written", "o extrato não se consegue escrever"),
    ("statement {} of the chain is missing; {} follows instead", "falta o extrato {} da cadeia; segue-se {}"),
    (
        "statement {} does not follow the one before it: one of them was replaced",
        "o extrato {} não se segue ao anterior: um deles foi substituído",
    ),
    ("statement {} was altered after it was closed", "o extrato {} foi alterado depois de fechado"),
    (
        "statement {} cannot be read by this version of the program",
        "esta versão do programa não consegue ler o extrato {}",
    ),
    (
        "statement {} is filed under another month or tenant than it says",
        "o extrato {} está guardado sob outro mês ou condómino do que diz",
    ),
    (
        "{} does not have the documents it was closed with; restore the records from a backup",
        "{} não tem os documentos com que foi fechado; reponha os registos de uma cópia",
    ),
    (
        "the tariff or the period that {} was closed with was altered; restore the records from a backup",
        "a tarifa ou o período com que {} foi fechado foi alterado; reponha os registos de uma cópia",
    ),
    (
        "no closed document has the hash {}; the chain was replaced, or the hash is of another building",
        "nenhum documento fechado tem a impressão {}; a cadeia foi substituída, ou a impressão é de outro edifício",
    ),
    (
        "format is json, csv, xlsx or pdf; dialect is rfc4180 or semicolon",
        "o formato é json, csv, xlsx ou pdf; o dialeto é rfc4180 ou semicolon",
    ),
    (
        "format is csv, xlsx or pdf; dialect is rfc4180 or semicolon",
        "o formato é csv, xlsx ou pdf; o dialeto é rfc4180 ou semicolon",
    ),
    // E-mail.
    ("security is tls, starttls or none", "a segurança é tls, starttls ou none"),
    (
        "the sender is no e-mail address; write it as Name <name@example.pt>",
        "o remetente não é um endereço de correio; escreva-o como Nome <nome@example.pt>",
    ),
    (
        "the mail server cannot be reached with these settings: {}",
        "não se chega ao servidor de correio com estas definições: {}",
    ),
    (
        "without TLS only a server on this computer is used; choose TLS or STARTTLS",
        "sem TLS só se usa um servidor neste computador; escolha TLS ou STARTTLS",
    ),
    (
        "the mail server took the connection and said nothing; check its address and port, then try again",
        "o servidor de correio aceitou a ligação e nada disse; verifique o endereço e a porta e tente de novo",
    ),
    ("no mail server is set; enter it under Statements", "não há servidor de correio; configure-o em Extratos"),
    (
        "this tenant has no e-mail address; enter it under Tenants",
        "este condómino não tem correio eletrónico; escreva-o em Condóminos",
    ),
    ("this tenant was erased", "este condómino foi apagado"),
    (
        "the place of the secrets does not answer; unlock the keyring of this computer and try again",
        "o lugar dos segredos não responde; desbloqueie o porta-chaves deste computador e tente de novo",
    ),
    (
        "the keyring of this computer does not work; unlock it, or start with --secrets file",
        "o porta-chaves deste computador não funciona; desbloqueie-o, ou inicie com --secrets file",
    ),
    (
        "the password cannot be read or kept; check the disk",
        "a palavra-passe não se consegue ler ou guardar; verifique o disco",
    ),
    // Chargers, meters, circuits and the building.
    ("there is no charger {}; choose one from the list of chargers", "não há carregador {}; escolha um da lista"),
    ("there is no meter {}; choose one from the list of meters", "não há contador {}; escolha um da lista"),
    ("there is no circuit {}; choose one from the list of circuits", "não há circuito {}; escolha um da lista"),
    ("the maximum of a charger must be between {} and 80 A", "o máximo de um carregador tem de estar entre {} e 80 A"),
    (
        "the fallback must be 0 or between {} and the charger's maximum",
        "a corrente de reserva tem de ser 0 ou estar entre {} e o máximo do carregador",
    ),
    (
        "a limit must be at least {}; pause the charger to give it nothing",
        "um limite tem de ser pelo menos {}; para nada dar, pause o carregador",
    ),
    ("a charger has between 1 and {} connectors", "um carregador tem entre 1 e {} tomadas"),
    (
        "a charger is wired to one, two or three phases, not {}",
        "um carregador liga-se a uma, duas ou três fases, não a {}",
    ),
    ("each wire needs a phase of its own", "cada fio precisa de uma fase própria"),
    (
        "this building has one phase; wire the charger to L1 only",
        "este edifício tem uma fase; ligue o carregador só a L1",
    ),
    (
        "a charger's password has 16 to 40 letters, digits or signs, without spaces",
        "a palavra-passe de um carregador tem 16 a 40 letras, algarismos ou sinais, sem espaços",
    ),
    (
        "a site has exactly one grid connection, these circuits have {}",
        "um edifício tem exatamente uma ligação à rede, estes circuitos têm {}",
    ),
    ("the circuit {} hangs on itself", "o circuito {} depende de si próprio"),
    ("the circuit {} is listed twice", "o circuito {} está duas vezes na lista"),
    ("the circuit {} hangs on {}, which does not exist", "o circuito {} depende de {}, que não existe"),
    (
        "the limit of the circuit {} is above its protection or its cable",
        "o limite do circuito {} está acima da sua proteção ou do seu cabo",
    ),
    ("at most {} periods can be set", "podem definir-se no máximo {} períodos"),
    (
        "contract_periods: kva must be between 1 and 10000",
        "os kVA de um período contratado têm de estar entre 1 e 10000",
    ),
    ("give the building a name", "dê um nome ao edifício"),
    ("a charger of this name exists; take another name", "já há um carregador com este nome; escolha outro"),
    ("a meter of this name exists; take another name", "já há um contador com este nome; escolha outro"),
    (
        "a meter cannot become a charger; remove it and add it anew",
        "um contador não pode tornar-se carregador; remova-o e adicione-o de novo",
    ),
    (
        "this name is our own; give the device a name of its own",
        "este nome é o nosso; dê ao dispositivo um nome próprio",
    ),
    ("this name is our own; give the meter a name of its own", "este nome é o nosso; dê ao contador um nome próprio"),
    (
        "the file server for chargers is off; switch it on on the page Connect, or give a location",
        "o servidor de ficheiros para carregadores está desligado; ligue-o na página Ligar, ou indique um endereço",
    ),
    (
        "this charger speaks no OCPP, so it has no such settings",
        "este carregador não fala OCPP, por isso não tem estas definições",
    ),
    (
        "name the folder from the root, such as /media/backup or D:\\Backup",
        "escreva a pasta desde a raiz, como /media/backup ou D:\\Backup",
    ),
    // How connections ended.
    ("The charger dropped the connection", "O carregador largou a ligação"),
    ("The charger closed the connection", "O carregador fechou a ligação"),
    ("A newer connection of this charger took its place", "Uma ligação mais recente deste carregador tomou o lugar"),
    (
        "Nothing was heard for {} s; check the charger's network",
        "Não se ouviu nada durante {} s; verifique a rede do carregador",
    ),
    ("The charger reads nothing; check its network", "O carregador não lê nada; verifique a sua rede"),
    (
        "The charger sent a message above {} bytes; lower the size of its messages",
        "O carregador enviou uma mensagem com mais de {} bytes; reduza o tamanho das suas mensagens",
    ),
    (
        "The charger broke the WebSocket protocol: {}; update its firmware",
        "O carregador não respeitou o protocolo WebSocket: {}; atualize o seu firmware",
    ),
    ("The connection broke: {}", "A ligação quebrou: {}"),
    ("the client said goodbye", "o dispositivo despediu-se"),
    ("the client closed the connection", "o dispositivo fechou a ligação"),
    ("the connection was lost: {}", "a ligação perdeu-se: {}"),
    ("a newer connection of the same client took over", "uma ligação mais recente do mesmo dispositivo tomou o lugar"),
    (
        "nothing was heard for one and a half times the keep-alive time",
        "não se ouviu nada durante uma vez e meia o tempo combinado",
    ),
    ("the client did not read what was sent to it", "o dispositivo não leu o que lhe foi enviado"),
    // Of any field: last, since a sentence above may begin alike.
    ("{} must be between {} A and {} A", "{} tem de estar entre {} A e {} A"),
    ("{} must be between {} and {}", "{} tem de estar entre {} e {}"),
    ("{} is too large", "{} é demasiado grande"),
    ("{} is none of {}", "{} não é nenhum destes: {}"),
    ("{} is no e-mail address", "{} não é um endereço de correio"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Both languages have the same gaps, no sentence is there twice, and none is hidden by one before it.
    #[test]
    fn sentences_are_alike() {
        for (english, portuguese) in SENTENCES {
            assert!(english.matches("{}").count() >= portuguese.matches("{}").count(), "{english}");
            assert!(!english.ends_with('.') && !portuguese.ends_with('.'), "{english}");
            let filled = english.replace("{}", "7");
            let first = SENTENCES.iter().find(|(pattern, _)| parts(pattern, &filled).is_some());
            assert_eq!(first.map(|(pattern, _)| *pattern), Some(*english), "another sentence takes its place");
        }
    }

    /// Parts are put where they belong, joined sentences are said one by one, and what nobody knows is left alone.
    #[test]
    fn sentences_are_said() {
        let check = |english: &str, portuguese: &str| {
            assert_eq!(in_portuguese(english).as_deref(), Some(portuguese));
        };
        check(
            "the card 04A1 already belongs to Rui: Filho; remove it there first",
            "o cartão 04A1 já pertence a Rui: Filho; retire-o primeiro de lá",
        );
        check("A tenant needs a name; enter one", "um condómino precisa de um nome; escreva-o");
        check(
            "the records cannot be read or written: the disk is full: free some space, charging goes on from memory until then",
            "os registos não se conseguem ler ou escrever: o disco está cheio: liberte espaço; até lá os carregamentos continuam a partir da memória",
        );
        check(
            "the tenant cannot be saved: a tenant needs a name; enter one",
            "o condómino não se consegue guardar: um condómino precisa de um nome; escreva-o",
        );
        check(
            "something cannot be read yet (invalid value: string \"x\", expected a Decimal type representing a fixed-point number); write dates as 2026-11-01, times as 07:30 and prices as 0.15",
            "há algo que ainda não se consegue ler (\"x\" não é um número); escreva datas como 2026-11-01, horas como 07:30 e preços como 0.15",
        );
        assert_eq!(in_portuguese("550 no such mailbox"), None);
        assert_eq!(in_portuguese(""), None);
    }
}
