//! Compiles the protocol files with a compiler written in Rust, so that no `protoc` is needed.

fn main() {
    println!("cargo:rerun-if-changed=proto");
    #[cfg(feature = "server")]
    protocol();
}

#[cfg(feature = "server")]
fn protocol() {
    let files = ["types", "interactions", "agents", "customers", "floor", "supervision"]
        .map(|name| format!("baton/v1/{name}.proto"));
    let compiled = protox::Compiler::new(["proto"])
        .and_then(|mut compiler| {
            compiler.include_imports(true).include_source_info(false).open_files(&files)?;
            Ok((compiler.file_descriptor_set(), compiler.encode_file_descriptor_set()))
        })
        .unwrap_or_else(|error| panic!("{error:?}"));
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("descriptors.bin"), compiled.1).expect("OUT_DIR can be written");
    tonic_prost_build::configure()
        .btree_map(".")
        // Large ones among small: a message is moved several times between the socket and whoever reads it.
        .boxed(".baton.v1.RouteRequest.request.submit")
        .boxed(".baton.v1.RouteResponse.response.interaction")
        .boxed(".baton.v1.AttachResponse.response.work")
        .compile_fds(compiled.0)
        .expect("the protocol files generate");
}
