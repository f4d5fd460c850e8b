//! A Grafana dashboard from its source: rows of panels, each with what it asks and what is good. Layout, ids and everything
//! that Grafana wants to be told each time are added here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// The columns of a dashboard.
const COLUMNS: u32 = 24;

/// Why a source is none.
#[derive(Debug, thiserror::Error)]
#[error("not the source of a dashboard: {0}")]
pub struct NotADashboard(String);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    title: String,
    uid: String,
    about: String,
    /// What can be chosen at the top: the variable's name, and the query for its values.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    row: String,
    panels: Vec<Panel>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// One number, coloured.
    Stat,
    /// Lines over time.
    Graph,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    title: String,
    kind: Kind,
    /// What it tells, and what to do about it.
    about: String,
    /// Grafana's name of the unit.
    unit: String,
    /// The colours, and the value from which on each holds.
    #[serde(default)]
    levels: BTreeMap<String, f64>,
    /// Columns; by default three of a number and eight of a graph.
    width: Option<u32>,
    /// Legends, and what is asked.
    show: BTreeMap<String, String>,
}

/// Makes a dashboard's JSON, as Grafana's provisioning reads it.
///
/// # Errors
/// Where the source is not as described above.
pub fn render(source: &str) -> Result<String, NotADashboard> {
    let source: Source = serde_saphyr::from_str(source).map_err(|error| NotADashboard(error.to_string()))?;
    let dashboard = json!({
        "title": source.title,
        "uid": source.uid,
        "description": source.about,
        "tags": ["anzen"],
        "schemaVersion": 39,
        "editable": false,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": { "from": "now-30m", "to": "now" },
        "templating": { "list": source.variables.iter().map(variable).collect::<Vec<_>>() },
        "panels": PANELS,
    });
    // A panel a line, so that a change of one is a change of a line.
    let lines: Vec<String> = panels(&source.rows).iter().map(|panel| format!("\n    {panel}")).collect();
    let panels = format!("[{}\n  ]", lines.join(","));
    Ok(format!("{dashboard:#}\n").replace(&format!("\"{PANELS}\""), &panels))
}

/// Stands where the panels go.
const PANELS: &str = "the panels";

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "prometheus" })
}

fn variable((name, query): (&String, &String)) -> Value {
    json!({
        "name": name,
        "type": "query",
        "datasource": datasource(),
        "query": { "query": query, "refId": name },
        "refresh": 2,
        "sort": 1,
        "multi": true,
        "includeAll": true,
        "allValue": ".*",
        "current": { "text": "All", "value": "$__all" },
    })
}

/// Panels flow from left to right, and each row begins anew.
fn panels(rows: &[Row]) -> Vec<Value> {
    let (mut out, mut y) = (Vec::new(), 0);
    for row in rows {
        let header = json!({ "x": 0, "y": y, "w": COLUMNS, "h": 1 });
        out.push(
            json!({ "id": out.len() + 1, "type": "row", "title": row.row, "gridPos": header, "panels": [] }),
        );
        y += 1;
        let (mut x, mut height) = (0, 0);
        for one in &row.panels {
            let (w, h) = size(one);
            if x + w > COLUMNS {
                (x, y, height) = (0, y + height, 0);
            }
            let mut value = panel(one);
            value["id"] = json!(out.len() + 1);
            value["gridPos"] = json!({ "x": x, "y": y, "w": w, "h": h });
            out.push(value);
            (x, height) = (x + w, height.max(h));
        }
        y += height;
    }
    out
}

fn size(panel: &Panel) -> (u32, u32) {
    match panel.kind {
        Kind::Stat => (panel.width.unwrap_or(3), 4),
        Kind::Graph => (panel.width.unwrap_or(8), 8),
    }
}

fn panel(panel: &Panel) -> Value {
    let (kind, custom, options) = match panel.kind {
        Kind::Stat => ("stat", json!({}), json!({ "colorMode": "background", "graphMode": "area" })),
        Kind::Graph => (
            "timeseries",
            json!({ "fillOpacity": 8, "showPoints": "never", "thresholdsStyle": { "mode": threshold_style(panel) } }),
            json!({
                "legend": { "displayMode": "list", "placement": "bottom" },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
        ),
    };
    json!({
        "type": kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": datasource(),
        "fieldConfig": {
            "defaults": { "unit": panel.unit, "custom": custom, "thresholds": thresholds(&panel.levels) },
            "overrides": [],
        },
        "options": options,
        "targets": panel.show.iter().zip('A'..='Z').map(target).collect::<Vec<_>>(),
    })
}

fn threshold_style(panel: &Panel) -> &'static str {
    if panel.levels.is_empty() { "off" } else { "dashed" }
}

/// The lowest colour holds from the bottom.
fn thresholds(levels: &BTreeMap<String, f64>) -> Value {
    let mut sorted: Vec<(&String, f64)> = levels.iter().map(|(color, from)| (color, *from)).collect();
    sorted.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut steps: Vec<Value> =
        sorted.iter().map(|(color, from)| json!({ "color": color, "value": from })).collect();
    match steps.first_mut() {
        Some(lowest) => lowest["value"] = Value::Null,
        None => steps.push(json!({ "color": "green", "value": null })),
    }
    json!({ "mode": "absolute", "steps": steps })
}

fn target(((legend, expr), id): ((&String, &String), char)) -> Value {
    json!({ "refId": id.to_string(), "expr": expr, "legendFormat": legend, "datasource": datasource() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    const SOURCE: &str = "
title: T
uid: u
about: A
variables: { instance: 'label_values(up, instance)' }
rows:
  - row: One
    panels:
      - { title: S, kind: stat, about: a, unit: short, levels: { red: 1, green: 0 }, show: { now: up } }
      - { title: G, kind: graph, about: b, unit: s, width: 22, show: { b: two, a: one } }
";

    #[test]
    fn panels_flow_and_the_lowest_colour_holds_from_the_bottom() {
        let dashboard: Value = serde_json::from_str(&render(SOURCE).unwrap()).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let at = |n: usize| (panels[n]["gridPos"]["x"].clone(), panels[n]["gridPos"]["y"].clone());
        assert_eq!(at(1), (json!(0), json!(1)));
        assert_eq!(at(2), (json!(0), json!(5)), "it did not fit beside the first");
        let steps = &panels[1]["fieldConfig"]["defaults"]["thresholds"]["steps"];
        assert_eq!(*steps, json!([{ "color": "green", "value": null }, { "color": "red", "value": 1.0 }]));
        assert_eq!(panels[2]["targets"][1]["expr"], "two");
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        let error = render(&SOURCE.replace("unit: short", "units: short")).unwrap_err().to_string();
        assert!(error.contains("units"), "{error}");
    }
}
