// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rows as a picture.

use std::fmt::Write;

use super::row::Row;

/// Pixels of the whole picture, of a row, and of the longest bar.
const WIDTH: usize = 640;
const ROW: usize = 28;
const BAR: f64 = 380.0;

/// A bar for each row under `title`, its length the tokens per second, with its standard deviation as a line.
pub(crate) fn svg(title: &str, rows: &[Row]) -> String {
    let rates: Vec<(f64, f64)> = rows.iter().map(Row::tokens_per_second).collect();
    let most = rates.iter().map(|(mean, deviation)| mean + deviation);
    let most = most.fold(f64::MIN_POSITIVE, f64::max);
    let height = ROW * (rows.len() + 2);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"12\" y=\"20\">{}</text>\n",
        escaped(title)
    );
    for (place, (row, (mean, deviation))) in rows.iter().zip(&rates).enumerate() {
        let top = ROW * (place + 1);
        let (middle, base) = (top + ROW / 2, top + ROW / 2 + 5);
        let end = |rate: f64| 80.0 + BAR * rate / most;
        let (left, length) = (end(0.0), BAR * mean / most);
        let (least, largest) = (end((mean - deviation).max(0.0)), end(mean + deviation));
        let label = largest + 8.0;
        // A string takes all that is written to it.
        let _ = write!(
            text,
            "<text x=\"12\" y=\"{base}\">{}</text>\n\
             <rect x=\"{left:.1}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\" fill=\"#3b6ea8\"/>\n\
             <path d=\"M{least:.1} {middle}H{largest:.1}\" stroke=\"#000\"/>\n\
             <text x=\"{label:.1}\" y=\"{base}\">{mean:.2} ± {deviation:.2}</text>\n",
            row.test,
            top + 4,
            ROW - 8,
        );
    }
    let last = ROW * (rows.len() + 1) + 18;
    text + &format!("<text x=\"80\" y=\"{last}\">tokens per second</text>\n</svg>\n")
}

/// As text of XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::super::test::Test;
    use super::*;

    #[test]
    fn the_longest_bar_is_the_fastest_test() {
        let row = |test, ns| Row {
            test,
            samples: vec![ns],
        };
        let rows = [
            row(Test::Prompt(512), 1_000_000_000),
            row(Test::Generation(128), 1_000_000_000),
        ];
        let picture = svg("a<b & c", &rows);
        assert!(picture.contains(">a&lt;b &amp; c<"), "{picture}");
        assert!(picture.contains("width=\"380.0\"") && picture.contains("width=\"95.0\""));
        assert!(picture.contains(">pp512<") && picture.contains(">128.00 ± 0.00<"));
        assert!(picture.ends_with("</svg>\n"));
    }

    #[test]
    fn no_rows_are_no_bars() {
        assert!(!svg("empty", &[]).contains("<path"));
    }
}
