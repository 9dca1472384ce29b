//! The commands that look at a file.

use super::binary::{Folder, solent, stderr_of, stdout_of};

const SITE: &str = r#"
debug = true
secret_key = "${SOLENT_TEST_KEY:-never-shown}"
allowed_hosts = ["localhost"]

[channel_layers.default]
backend = "redis-pubsub"
hosts = ["redis://user:never-shown@redis.example:6379/0"]

[[http]]
path = "chat/room/<int:course_id>/"
name = "chat:room"
methods = ["GET"]
respond = { body = "a room" }

[[http]]
path = ""
proxy = "http://127.0.0.1:9000"

[[websocket]]
re_path = '^ws/chat/room/(?P<course_id>\d+)/$'
name = "chat:socket"
consumer = "chat"
group = "chat_{course_id}"
"#;

#[test]
fn l7_check_says_that_nothing_is_wrong() {
    let folder = Folder::with(SITE);
    let output = folder.run(&["check", "--offline"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert!(stdout_of(&output).ends_with("nothing is wrong\n"));
}

#[test]
fn what_nobody_reads_any_more_is_no_failure() {
    let folder = Folder::with(SITE);
    for arguments in [&["routes"][..], &["config", "show"], &["check", "--offline"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = solent();
        let output =
            command.args(arguments).arg("--config").arg(folder.config()).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), stderr_of(&output)), (Some(0), String::new()), "{arguments:?}");
    }
}

#[test]
fn what_variables_stand_for_may_be_a_number_or_a_truth_value_by_default_too() {
    let folder = Folder::with(
        r#"
debug = "${SOLENT_TEST_DEBUG:-true}"

[limits]
header_fields = "${SOLENT_TEST_FIELDS:-50}"
compression.level = "${SOLENT_TEST_LEVEL:-4}"
drain_code = "${SOLENT_TEST_CODE:-1001}"

[[http]]
path = "a/"
respond.status = "${SOLENT_TEST_STATUS:-201}"
"#,
    );
    let shown = |variables: &[(&str, &str)]| {
        let mut command = solent();
        command.envs(variables.iter().copied()).args(["config", "show", "--config"]).arg(folder.config());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr_of(&output));
        stdout_of(&output)
    };
    let defaults = shown(&[]);
    for line in ["debug = true ", "header_fields = 50 ", "compression.level = 4 ", "drain_code = 1001 "] {
        assert!(defaults.contains(line), "{defaults}");
    }
    assert!(defaults.contains("respond.status = 201 "), "{defaults}");
    let set =
        shown(&[("SOLENT_TEST_FIELDS", "60"), ("SOLENT_TEST_LEVEL", "5"), ("SOLENT_TEST_STATUS", "202")]);
    for line in ["header_fields = 60 ", "compression.level = 5 ", "respond.status = 202 "] {
        assert!(set.contains(line), "{set}");
    }
    let output =
        solent().env("SOLENT_TEST_CODE", "x").args(["check", "--config"]).arg(folder.config()).output();
    let told = stderr_of(&output.unwrap());
    assert!(told.contains("drain_code: found something else in $SOLENT_TEST_CODE"), "{told}");
}

#[test]
fn routes_lists_pages_and_sockets_in_order() {
    let output = Folder::with(SITE).run(&["routes"]);
    let expected = r"
           PATH                                NAME         GUARDS  TARGET
HTTP       /static/*                                                static the program's own
HTTP GET   /chat/room/<int:course_id>/         chat:room            respond 200
HTTP       /*                                                       proxy http://127.0.0.1:9000
WebSocket  ^ws/chat/room/(?P<course_id>\d+)/$  chat:socket          chat chat_{course_id}
";
    assert_eq!(stdout_of(&output), &expected[1..]);
}

#[test]
fn config_show_tells_every_value_with_its_source_and_no_secret() {
    let folder = Folder::with(SITE);
    let output = folder.run(&["config", "show"]);
    let shown = stdout_of(&output);
    assert!(!shown.contains("never-shown"), "{shown}");
    for line in [
        "debug = true                                     # line 2",
        "secret_key = \"…\"                                 # line 3",
        "[channel_layers.default]",
        "hosts = [\"redis://…@redis.example:6379/0\"]       # line 8",
        "prefix = \"asgi\"                                  # default",
        "header_time = \"10s\"                              # default",
        "[[http]]",
        "respond.body = \"a room\"                          # line 14",
        "proxy = \"http://127.0.0.1:9000\"                  # line 18",
    ] {
        assert!(shown.lines().any(|found| found == line), "no line {line:?} in\n{shown}");
    }
    let with_variable = solent()
        .env("SOLENT_TEST_KEY", "never-shown-either")
        .args(["config", "show", "--config"])
        .arg(folder.config())
        .output()
        .unwrap();
    let shown = stdout_of(&with_variable);
    assert!(shown.contains("# line 3, $SOLENT_TEST_KEY\n") && !shown.contains("never-shown"), "{shown}");
}

#[test]
fn what_config_show_prints_is_a_config_file_but_for_its_secrets() {
    let site = SITE.replace("redis://user:never-shown@redis.example", "redis://redis.example");
    let shown = stdout_of(&Folder::with(&site).run(&["config", "show"]));
    let again = Folder::with(&shown).run(&["check", "--offline"]);
    assert!(again.status.success(), "{shown}\n{}", stderr_of(&again));
}

#[test]
fn a_secret_comes_from_a_file() {
    let folder = Folder::with("debug = true\nsecret_key = \"file:keys/secret\"\n");
    folder.write("keys/secret", "never-shown\n");
    let shown = stdout_of(&folder.run(&["config", "show"]));
    assert!(shown.contains("# line 2, file keys/secret\n") && !shown.contains("never-shown"), "{shown}");
}

#[test]
fn without_a_file_it_says_how_to_begin() {
    let empty = tempfile::TempDir::new().unwrap();
    let output = solent().current_dir(empty.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = stderr_of(&output);
    assert!(told.contains("config/solent.toml") && told.contains("solent init DIR"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn a_command_line_that_is_not_understood_exits_with_2_and_help_with_0() {
    let wrong = solent().arg("frobnicate").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr_of(&wrong).contains("frobnicate"));
    let help = solent().arg("--help").output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    for command in ["run", "check", "routes", "init", "config"] {
        assert!(stdout_of(&help).contains(&format!("\n  {command} ")), "{}", stdout_of(&help));
        let own = solent().args([command, "--help"]).output().unwrap();
        assert!(own.status.success() && stdout_of(&own).contains("--config <FILE>"), "{command}");
    }
}

#[test]
fn every_command_has_help_and_an_error_is_one_paragraph_on_standard_error() {
    let help = solent().arg("--help").output().unwrap();
    let listed = stdout_of(&help);
    let listed = listed.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let commands: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 11, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let helped = solent().args([command, "--help"]).output().unwrap();
        assert!(helped.status.success() && stderr_of(&helped).is_empty(), "{command}");
        assert!(stdout_of(&helped).contains("Usage: solent "), "{command}");
        let wrong = solent().args([command, "--frobnicate"]).output().unwrap();
        assert_eq!(wrong.status.code(), Some(2), "{command}");
        is_one_paragraph(&wrong, "--frobnicate");
    }
    for (arguments, code, said) in [
        (&["chek"][..], 2, "tip: a similar subcommand exists: 'check'"),
        (&["user"], 2, "requires a subcommand"),
        (&["config"], 2, "requires a subcommand"),
        (&["layer"], 2, "requires a subcommand"),
        (&["user", "add"], 2, "<NAME>"),
        (&["worker"], 2, "<CHANNEL>"),
        (&["init"], 2, "<DIR>"),
        (&["completions", "smoke"], 2, "possible values"),
        (&["init", "/proc/nobody"], 1, "cannot be written"),
        (&["check", "--config", "nowhere.toml"], 1, "there is no file nowhere.toml"),
        (&["run", "--config", "nowhere.toml"], 1, "there is no file nowhere.toml"),
        (&["routes", "--config", "nowhere.toml"], 1, "there is no file nowhere.toml"),
        (&["config", "show", "--config", "nowhere.toml"], 1, "there is no file nowhere.toml"),
    ] {
        let output = solent().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        is_one_paragraph(&output, said);
    }
}

/// Without a terminal there is no colour, whatever `NO_COLOR` says; with one there is, unless it is set.
#[test]
fn errors_are_red_on_a_terminal_unless_no_color_is_set() {
    for (no_color, red) in [(None, true), (Some(""), true), (Some("1"), false)] {
        for arguments in ["frobnicate", "check --config nowhere.toml"] {
            let mut on_a_terminal = std::process::Command::new("script");
            on_a_terminal.env_clear().env("TERM", "xterm").envs(no_color.map(|value| ("NO_COLOR", value)));
            let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_solent"));
            let output = on_a_terminal.args(["-qec", &command, "/dev/null"]).output().unwrap();
            let told = stdout_of(&output);
            assert!(told.contains("error:"), "{told}");
            assert_eq!(told.contains('\u{1b}'), red, "{no_color:?} {told:?}");
        }
    }
}

fn is_one_paragraph(output: &std::process::Output, said: &str) {
    let told = stderr_of(output);
    assert!(told.starts_with("error: ") && told.contains(said), "{told}");
    assert!(!told.trim_end().contains("\n\n") && stdout_of(output).is_empty(), "{told}");
}

#[test]
fn init_makes_a_site_that_is_right_and_touches_nothing_that_is_there() {
    let dir = tempfile::TempDir::new().unwrap();
    let site = dir.path().join("site");
    let made = solent().arg("init").arg(&site).output().unwrap();
    assert!(made.status.success(), "{}", stderr_of(&made));
    let checked = solent().arg("check").current_dir(&site).output().unwrap();
    assert!(checked.status.success(), "{}", stderr_of(&checked));
    let again = solent().arg("init").arg(&site).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr_of(&again).contains("is there already"));
}
