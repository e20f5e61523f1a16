// SPDX-License-Identifier: MIT OR Apache-2.0
//! GET /v1/models and /v1/models/{id}: the names that requests may give.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{json, Map, Value};
use sislm::{Alias, Model};

use super::engine::Engine;
use super::error::ApiError;
use super::reply::json;

/// All names, and each version that is not all that a name means.
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Result<Response, ApiError> {
    let (models, aliases) = (engine.device.models()?, engine.device.aliases()?);
    let mut data: Vec<Value> = aliases
        .iter()
        .filter_map(|alias| named(&engine, alias, &models))
        .collect();
    let versions = models.iter().filter(|model| {
        let name = model.full_name();
        !model.is_leaving() && !aliases.iter().any(|alias| is_all(alias, &name))
    });
    data.extend(versions.map(|model| object(&engine, model, model.full_name())));
    Ok(json(&json!({ "object": "list", "data": data })))
}

/// One of them.
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let (models, aliases) = (engine.device.models()?, engine.device.aliases()?);
    let alias = aliases.iter().find(|alias| alias.name() == name);
    let object = match alias.and_then(|alias| named(&engine, alias, &models)) {
        Some(object) => object,
        None => object(&engine, &engine.model(Some(&name))?, name),
    };
    Ok(json(&object))
}

/// Whether `alias` gives this version alone.
fn is_all(alias: &Alias, name: &str) -> bool {
    matches!(alias.versions().as_slice(), [(only, _)] if only == name)
}

/// An alias: its version, or its versions, each with its weight.
fn named(engine: &Engine, alias: &Alias, models: &[Model]) -> Option<Value> {
    let versions = alias.versions();
    let of = |name: &str| models.iter().find(|model| model.full_name() == name);
    if let [(only, _)] = versions.as_slice() {
        let mut object = object(engine, of(only)?, alias.name());
        object["version"] = json!(only);
        return Some(object);
    }
    let versions = versions.iter().filter_map(|(name, weight)| {
        let mut facts = facts(engine, of(name)?);
        facts.insert("id".into(), json!(name));
        facts.insert("weight".into(), json!(weight));
        Some(Value::from(facts))
    });
    Some(json!({
        "id": alias.name(),
        "object": "model",
        "created": engine.started,
        "owned_by": "sislm",
        "versions": versions.collect::<Vec<_>>(),
    }))
}

fn object(engine: &Engine, model: &Model, id: String) -> Value {
    let mut object = json!({
        "id": id,
        "object": "model",
        "created": engine.started,
        "owned_by": "sislm",
    });
    if let Some(object) = object.as_object_mut() {
        object.extend(facts(engine, model));
    }
    object
}

/// What is told of a version.
fn facts(engine: &Engine, model: &Model) -> Map<String, Value> {
    let facts = json!({
        "sha256": model.digest().to_string(),
        "architecture": model.architecture_name(),
        "parameters": model.parameters,
        "context": model.context,
        "system_fingerprint": engine.fingerprint(model),
    });
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}
