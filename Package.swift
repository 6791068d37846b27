// swift-tools-version: 6.1
import PackageDescription

// Which MPI to build against, by the name of its pkg-config file: `ompi-c` (Open MPI) or `mpich`.
let mpi = Context.environment["MPI_PKG"] ?? "ompi-c"

// Swift emits SSE2 code unless it is told which processor to build for; `-march` reaches Swift's own
// code generation through the C importer. ELECTRA_MARCH=native builds for this machine alone.
#if arch(x86_64)
  let march = Context.environment["ELECTRA_MARCH"] ?? "x86-64-v3"
#else
  let march = Context.environment["ELECTRA_MARCH"] ?? ""
#endif
let settings: [SwiftSetting] =
  march.isEmpty ? [] : [.unsafeFlags(["-Xcc", "-march=\(march)"])]

/// One room of the house: a target, and exactly the rooms that it may import.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of one room.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies,
    swiftSettings: settings)
}

let package = Package(
  name: "electra",
  products: [.executable(name: "electra", targets: ["Commands"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    .systemLibrary(
      name: "CMPI", pkgConfig: mpi,
      providers: [.apt(["libopenmpi-dev"]), .yum(["openmpi-devel"]), .brew(["open-mpi"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .yum(["openblas-devel"]), .brew(["openblas"])]),
    room("Platform", []),
    room("Tensors", ["COpenBLAS"]),
    room("Tokenization", ["Platform"]),
    room("Collectives", ["CMPI", "Tensors"]),
    room("Layers", ["Tensors"]),
    room("Corpus", ["Tokenization", "Layers", "Platform"]),
    room("Electra", ["Layers", "Tokenization"]),
    room("Training", ["Layers", "Collectives", "Platform"]),
    room(
      "Finetuning", ["Tokenization", "Corpus", "Layers", "Electra", "Training", "Platform"]),
    .executableTarget(
      name: "Commands",
      dependencies: [
        "Tensors", "Tokenization", "Collectives", "Layers", "Corpus", "Electra", "Training",
        "Finetuning", "Platform",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .target(
      name: "TestSupport", dependencies: ["Tensors", "Layers"], path: "Tests/TestSupport",
      swiftSettings: settings),
    tests("Platform", ["TestSupport"]),
    tests("Tensors", ["TestSupport"]),
    tests("Layers", ["Tensors", "TestSupport"]),
    .testTarget(
      name: "TokenizationTests", dependencies: ["Tokenization", "Platform"], exclude: ["Fixtures"],
      swiftSettings: settings),
    tests("Collectives", ["Tensors", "TestSupport"]),
    tests("Corpus", ["Tokenization", "Layers", "Platform", "TestSupport"]),
    tests(
      "Training",
      ["Tensors", "Layers", "Collectives", "Electra", "Tokenization", "Platform", "TestSupport"]),
    .testTarget(
      name: "FinetuningTests",
      dependencies: [
        "Finetuning", "Tokenization", "Tensors", "Layers", "Electra", "Corpus", "Platform",
        "TestSupport",
      ],
      exclude: ["Fixtures"], swiftSettings: settings),
    .testTarget(
      name: "CommandsTests",
      dependencies: [
        "Commands", "Tensors", "Layers", "Electra", "Training", "Finetuning", "Platform",
        "TestSupport",
      ],
      exclude: ["check-export.py", "check-finetuned.py", "check-tokenizers.py"],
      swiftSettings: settings),
    .testTarget(
      name: "OracleTests", dependencies: ["Tensors", "Layers", "Electra", "Training"],
      exclude: ["Fixtures", "make-fixtures.py"], swiftSettings: settings),
    tests("Electra", ["Tensors", "Layers", "Tokenization", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
