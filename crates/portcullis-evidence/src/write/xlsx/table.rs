//! A sheet, row by row, and its cells.

use rust_xlsxwriter::{Color, Format, FormatAlign, Workbook, Worksheet, XlsxError};

/// Rows that a sheet can have.
const ROWS: u32 = 1_048_576;
/// Characters that a cell can have.
const CELL: usize = 32_767;

/// A cell: a number or a text.
pub(super) enum Cell<'a> {
    Number(usize),
    Text(&'a str),
    Owned(String),
}

impl From<usize> for Cell<'_> {
    fn from(n: usize) -> Self {
        Cell::Number(n)
    }
}

impl From<u32> for Cell<'_> {
    fn from(n: u32) -> Self {
        Cell::Number(n as usize)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cell::Text(text)
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Cell::Owned(text)
    }
}

/// A column: its head and its width in characters.
pub(super) type Column = (&'static str, u16);

/// A sheet that is being filled, row by row.
pub(super) struct Table<'b> {
    sheet: &'b mut Worksheet,
    looks: &'b Looks,
    next: u32,
    left_out: usize,
}

/// How cells look.
pub(super) struct Looks {
    pub(super) title: Format,
    pub(super) head: Format,
    text: Format,
    marked: Vec<(&'static str, Format)>,
}

impl Looks {
    pub(super) fn new() -> Self {
        let text = Format::new().set_align(FormatAlign::Top);
        let tint = |ink: u32, paper: u32| {
            text.clone().set_font_color(Color::RGB(ink)).set_background_color(Color::RGB(paper))
        };
        let marked = vec![
            ("fail", tint(0x8E1616, 0xFDEAEA)),
            ("not determined", tint(0x6F3C00, 0xFFF0D9)),
            ("accepted", tint(0x54279A, 0xF2EBFC)),
            ("pass", tint(0x0B5130, 0xE3F4EA)),
            ("attested", tint(0x0B4482, 0xE3EFFC)),
            ("critical", tint(0xFFFFFF, 0x8A1033)),
            ("high", tint(0xFFFFFF, 0xB23C0C)),
            ("medium", tint(0x533800, 0xFBE2A3)),
        ];
        Self {
            title: Format::new().set_bold().set_font_size(16),
            head: Format::new()
                .set_bold()
                .set_align(FormatAlign::Bottom)
                .set_font_color(Color::White)
                .set_background_color(Color::RGB(0x141D2A)),
            text,
            marked,
        }
    }

    fn of(&self, text: &str) -> &Format {
        self.marked.iter().find(|(word, _)| *word == text).map_or(&self.text, |(_, look)| look)
    }
}

impl<'b> Table<'b> {
    pub(super) fn new(
        book: &'b mut Workbook,
        looks: &'b Looks,
        name: &str,
        columns: &[Column],
    ) -> Result<Self, XlsxError> {
        let sheet = book.add_worksheet();
        sheet.set_name(name)?;
        sheet.set_freeze_panes(1, 0)?;
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
        sheet.set_repeat_rows(0, 0)?;
        for (column, (head, width)) in (0..).zip(columns) {
            sheet.write_string_with_format(0, column, *head, &looks.head)?;
            sheet.set_column_width(column, *width)?;
        }
        Ok(Self { sheet, looks, next: 1, left_out: 0 })
    }

    pub(super) fn row<'c>(
        &mut self,
        cells: impl IntoIterator<Item = Cell<'c>>,
    ) -> Result<(), XlsxError> {
        // The last row stays free to say what is left out.
        if self.next >= ROWS - 1 {
            self.left_out += 1;
            return Ok(());
        }
        for (column, cell) in (0..).zip(cells) {
            put(self.sheet, self.looks, self.next, column, &cell)?;
        }
        self.next += 1;
        Ok(())
    }

    /// Ends the sheet: filters over its rows, or what is left out.
    pub(super) fn end(self, columns: usize) -> Result<(), XlsxError> {
        if self.left_out > 0 {
            let said = format!(
                "{} more rows do not fit in a sheet; the CSV and JSON reports have them",
                self.left_out
            );
            self.sheet.write_string(self.next, 0, said)?;
        }
        if let (Some(last), true) = (columns.checked_sub(1), self.next > 1) {
            let last = u16::try_from(last).unwrap_or(u16::MAX);
            self.sheet.autofilter(0, 0, self.next - 1, last)?;
        }
        Ok(())
    }
}

pub(super) fn put(
    sheet: &mut Worksheet,
    looks: &Looks,
    row: u32,
    column: u16,
    cell: &Cell<'_>,
) -> Result<(), XlsxError> {
    let text = match cell {
        Cell::Number(n) => {
            // Counts are far below 2^53, where a spreadsheet's numbers stop being exact.
            #[allow(clippy::cast_precision_loss)]
            sheet.write_number_with_format(row, column, *n as f64, &looks.text)?;
            return Ok(());
        }
        Cell::Text(text) => text,
        Cell::Owned(text) => text.as_str(),
    };
    if text.is_empty() {
        return Ok(());
    }
    let look = looks.of(text);
    if text.len() > CELL && text.chars().nth(CELL).is_some() {
        let cut: String = text.chars().take(CELL - 8).chain(" … (cut)".chars()).collect();
        sheet.write_string_with_format(row, column, cut, look)?;
    } else {
        sheet.write_string_with_format(row, column, text, look)?;
    }
    Ok(())
}
