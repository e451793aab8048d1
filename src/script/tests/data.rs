//! Data written in a script is returned unchanged.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

/// Writes the JSON as a script literal.
fn literal(json: &Json) -> String {
    let text = |text: &str| {
        let escaped = text.chars().map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_ascii_graphic() || c == ' ' => c.to_string(),
            c => format!("\\U{:08x}", u32::from(c)),
        });
        format!("\"{}\"", escaped.collect::<String>())
    };
    match json {
        Json::Null => "()".to_owned(),
        Json::Bool(_) => json.to_string(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            // The language has no literal for it.
            (Some(i64::MIN), _) => format!("({} - 1)", i64::MIN + 1),
            (Some(int), _) => int.to_string(),
            (None, float) => format!("parse_float(\"{:e}\")", float.unwrap()),
        },
        Json::String(string) => text(string),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", text(name), literal(value)));
            format!("#{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_filter_map("JSON has no infinity", |float| {
            serde_json::Number::from_f64(float).map(Json::Number)
        }),
        any::<String>().prop_map(Json::from),
    ];
    let name = prop_oneof![any::<String>(), r"\$[a-z]{0,4}"];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|fields| { Json::Object(fields.into_iter().collect()) }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn script_literals_reach_operations_and_results_unchanged(json in any_json()) {
        let host_operations: Arc<Fake> = Arc::default();
        let script = format!("act({0}); {0}", literal(&json));
        let returned = call_on(&compile(&script), Vec::new(), Arc::clone(&host_operations)).unwrap();
        prop_assert_eq!(returned.to_masked_json().to_string(), json.to_string());
        prop_assert_eq!(host_operations.asked(), vec![format!("act[{json}]")]);
    }
}
