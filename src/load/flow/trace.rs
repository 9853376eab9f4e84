//! What a load at level DEBUG says of the pages it reads: what each answer told, and what follows from it.

use crate::source::{PageFacts, PagePosition};

/// Returns what was decided about a page. `is_done`: no page follows it.
pub fn decision(position: &PagePosition, facts: &PageFacts, is_done: bool) -> String {
    let mut told = Vec::new();
    if facts.next.is_some() {
        told.push("where the next page is".to_string());
    }
    if let Some(has_more) = facts.has_more {
        told.push(if has_more { "that there is more" } else { "that there is nothing more" }.to_string());
    }
    told.extend(facts.total_rows.map(|total| format!("a total of {total} rows")));
    told.extend(facts.total_pages.map(|total| format!("a total of {total} pages")));
    let told = if told.is_empty() { "nothing about other pages".to_string() } else { told.join(" and ") };
    let next = if is_done { "it is the last page" } else { "more pages are asked for, or under way" };
    format!("page {}: {} rows; the answer tells {told}; {next}", position.ordinal + 1, facts.n_rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::PageKey;
    use expect_test::expect;

    #[test]
    fn a_decision_names_what_the_answer_told() {
        let position = PagePosition { ordinal: 2, key: PageKey::Page(3) };
        let facts =
            PageFacts { n_rows: 50, next: Some(PageKey::Page(4)), has_more: Some(true), total_rows: Some(120), ..PageFacts::default() };
        expect!["page 3: 50 rows; the answer tells where the next page is and that there is more and a total of 120 rows; more pages are asked for, or under way"]
            .assert_eq(&decision(&position, &facts, false));
        expect!["page 3: 0 rows; the answer tells nothing about other pages; it is the last page"].assert_eq(&decision(
            &position,
            &PageFacts::default(),
            true,
        ));
    }
}
