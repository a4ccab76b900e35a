//! Compiles the protocol files with a compiler written in Rust, so that no `protoc` is needed.

fn main() {
    println!("cargo:rerun-if-changed=proto");
    #[cfg(feature = "server")]
    protocol();
}

#[cfg(feature = "server")]
fn protocol() {
    let files = ["types", "interactions", "agents", "customers", "floor", "rules", "supervision"]
        .map(|name| format!("baton/v1/{name}.proto"));
    let compiled = protox::Compiler::new(["proto"])
        .and_then(|mut compiler| {
            compiler.include_imports(true).include_source_info(false).open_files(&files)?;
            Ok((compiler.file_descriptor_set(), compiler.encode_file_descriptor_set()))
        })
        .unwrap_or_else(|error| panic!("{error:?}"));
    let (mut files, descriptors) = compiled;
    kept_as_bytes(&mut files);
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("descriptors.bin"), descriptors).expect("OUT_DIR can be written");
    tonic_prost_build::configure()
        .btree_map(".")
        // Large ones among small: a message is moved several times between the socket and whoever reads it.
        .boxed(".baton.v1.RouteRequest.request.submit")
        .boxed(".baton.v1.AttachResponse.response.work")
        .bytes(".")
        .compile_fds(files)
        .expect("the protocol files generate");
}

/// Messages that are shown again and again, as (message, field): our own code keeps them as they go over the wire, which
/// is the same for bytes as for a message. The descriptors for everybody else stay as they are.
#[cfg(feature = "server")]
const KEPT_AS_BYTES: [(&str, &str); 5] = [
    ("Offer", "interaction"),
    ("Offer", "card"),
    ("CardCompleted", "card"),
    ("Assignment", "interaction"),
    ("RouteResponse", "interaction"),
];

#[cfg(feature = "server")]
fn kept_as_bytes(files: &mut prost_types::FileDescriptorSet) {
    use prost_types::field_descriptor_proto::Type;
    for (message, field) in KEPT_AS_BYTES {
        let messages = files.file.iter_mut().flat_map(|file| &mut file.message_type);
        let fields = messages.filter(|one| one.name() == message).flat_map(|one| &mut one.field);
        let mut named = fields.filter(|one| one.name() == field).peekable();
        assert!(named.peek().is_some(), "{message}.{field} is in the protocol");
        for field in named {
            field.set_type(Type::Bytes);
            field.type_name = None;
        }
    }
}
