//! Makes docker/grafana/dashboards/*.json from docker/grafana/sources/*.yaml: `just dashboards`.

use std::error::Error;
use std::path::Path;

use anzen_integration::monitoring::render;

fn main() -> Result<(), Box<dyn Error>> {
    let grafana = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/grafana");
    for entry in std::fs::read_dir(grafana.join("sources"))? {
        let path = entry?.path();
        let name = path.file_stem().ok_or("a source has a name")?;
        let dashboard = grafana.join("dashboards").join(name).with_extension("json");
        std::fs::write(&dashboard, render(&std::fs::read_to_string(&path)?)?)?;
        println!("{}", dashboard.display());
    }
    Ok(())
}
