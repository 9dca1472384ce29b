//! What was measured: a table on the terminal, and JSON and a plot under `target/load/`.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::json;

/// The results of one mode.
pub struct Report {
    mode: &'static str,
    title: &'static str,
    rows: Vec<Row>,
}

struct Row {
    case: String,
    server: String,
    figure: f64,
    /// To the baseline of the same case.
    ratio: Option<f64>,
}

impl Report {
    pub fn new(mode: &'static str, title: &'static str) -> Self {
        Self { mode, title, rows: Vec::new() }
    }

    pub fn add(&mut self, case: &str, server: &str, figure: f64, ratio: Option<f64>) {
        self.rows.push(Row { case: case.to_owned(), server: server.to_owned(), figure, ratio });
    }

    /// Prints the table and writes the files.
    pub fn finish(self) {
        println!("\n{}: {}", self.mode, self.title);
        println!("{:<28} {:<22} {:>12} {:>7}", "case", "server", "figure", "ratio");
        for Row { case, server, figure, ratio } in &self.rows {
            let ratio = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            println!("{case:<28} {server:<22} {figure:>12.0} {ratio:>7}");
        }
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/load");
        std::fs::create_dir_all(&folder).expect("a folder for the results");
        let write = |extension: &str, text: String| {
            std::fs::write(folder.join(self.mode).with_extension(extension), text).expect("a file");
        };
        write("json", self.json());
        write("svg", self.plot());
    }

    fn json(&self) -> String {
        let row = |row: &Row| json!({ "case": row.case, "server": row.server, "figure": row.figure, "ratio": row.ratio });
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        let all = json!({ "mode": self.mode, "title": self.title, "rows": rows });
        serde_json::to_string_pretty(&all).expect("plain values")
    }

    /// A bar for each row.
    fn plot(&self) -> String {
        let most = self.rows.iter().map(|row| row.figure).fold(f64::MIN_POSITIVE, f64::max);
        let height = 40 + 18 * self.rows.len();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<text x=\"10\" y=\"20\">{}: {}</text>\n",
            self.mode, self.title
        );
        for (index, row) in self.rows.iter().enumerate() {
            let (y, width) = (36 + 18 * index, 420.0 * row.figure / most);
            let fill = if row.server.starts_with("solent") { "#2563eb" } else { "#94a3b8" };
            let _ = writeln!(
                svg,
                "<text x=\"10\" y=\"{}\">{}, {}</text><rect x=\"320\" y=\"{y}\" width=\"{width:.1}\" \
                 height=\"13\" fill=\"{fill}\"/><text x=\"{:.1}\" y=\"{}\">{:.0}</text>",
                y + 11,
                row.case,
                row.server,
                326.0 + width,
                y + 11,
                row.figure
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}
