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
  [.enableUpcomingFeature("MemberImportVisibility")]
  + (march.isEmpty ? [] : [.unsafeFlags(["-Xcc", "-march=\(march)"])])

/// A target and exactly what it may import: only targets of a lower level.
func module(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

/// The tests of a target; `files` are no sources of theirs.
///
/// Only tests that compute much themselves are `optimized`: that doubles the time to build them.
/// What they test is always optimized.
func tests(
  _ name: String, _ dependencies: [Target.Dependency], files: [String] = [], optimized: Bool = false
) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies,
    exclude: files,
    swiftSettings: settings + (optimized ? [] : [.unsafeFlags(["-Onone"])]))
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
    .systemLibrary(name: "CSystem"),
    .target(name: "CKernels"),
    module("Platform", ["CSystem"]),
    module("Tensors", ["COpenBLAS", "CKernels", "Platform"]),
    module("Tokenization", ["Platform"]),
    module("Collectives", ["CMPI", "Tensors", "Platform"]),
    module("Layers", ["Tensors"]),
    module("Corpus", ["Layers", "Tensors", "Tokenization", "Platform"]),
    module("Electra", ["Layers", "Tensors", "Tokenization"]),
    module("Training", ["Layers", "Tensors", "Collectives", "Platform"]),
    module("Finetuning", ["Electra", "Layers", "Tensors", "Tokenization", "Platform"]),
    module(
      "Models",
      [
        "Finetuning", "Corpus", "Electra", "Training", "Layers", "Collectives", "Tokenization",
        "Tensors", "Platform",
      ]),
    module(
      "Runs",
      [
        "Models", "Finetuning", "Corpus", "Electra", "Training", "Layers", "Collectives",
        "Tokenization", "Tensors", "Platform",
      ]),
    module(
      "Reports",
      [
        "Runs", "Models", "Finetuning", "Corpus", "Electra", "Training", "Layers", "Collectives",
        "Tokenization", "Tensors", "Platform",
      ],
      resources: ["report.css", "report.js"].map { .embedInCode("RunReport/Resources/\($0)") }),
    .executableTarget(
      name: "Commands",
      dependencies: [
        "Reports", "Runs", "Models", "Finetuning", "Corpus", "Electra", "Training", "Layers",
        "Collectives", "Tokenization", "Tensors", "Platform",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .target(
      name: "TestSupport", dependencies: ["Tensors", "Layers"], path: "Tests/TestSupport",
      swiftSettings: settings),
    tests("Platform", ["Tensors", "TestSupport"]),
    tests("Tensors", ["CKernels", "TestSupport"], optimized: true),
    tests("Tokenization", ["Platform", "TestSupport"], files: ["Fixtures"], optimized: true),
    tests("Collectives", ["Tensors", "Platform", "TestSupport"]),
    tests("Layers", ["Tensors", "TestSupport"]),
    tests("Corpus", ["Tokenization", "Layers", "Tensors", "Platform", "TestSupport"]),
    tests("Electra", ["Tensors", "Layers", "Tokenization", "TestSupport"]),
    tests(
      "Training",
      ["Tensors", "Layers", "Collectives", "Electra", "Tokenization", "Platform", "TestSupport"]),
    tests(
      "Finetuning",
      ["Tokenization", "Tensors", "Layers", "Electra", "Platform", "TestSupport"],
      files: ["Fixtures"]),
    tests(
      "Models",
      [
        "Finetuning", "Corpus", "Electra", "Training", "Layers", "Collectives", "Tokenization",
        "Tensors", "Platform", "TestSupport",
      ]),
    tests(
      "Runs",
      [
        "Models", "Finetuning", "Training", "Electra", "Layers", "Collectives", "Tokenization",
        "Tensors", "Platform", "TestSupport",
      ]),
    tests(
      "Reports",
      ["Models", "Finetuning", "Electra", "Layers", "Tensors", "Platform", "TestSupport"]),
    tests(
      "Commands",
      [
        "Tensors", "Layers", "Electra", "Training", "Finetuning", "Runs", "Reports", "Platform",
        "TestSupport",
      ],
      files: [
        "check-events.py", "check-export.py", "check-finetuned.py", "check-models.py",
        "check-tokenizers.py",
      ]),
    .testTarget(
      name: "OracleTests", dependencies: ["Tensors", "Layers", "Electra", "Training"],
      exclude: ["Fixtures", "bfloat16_products.py", "make-fixtures.py", "rounding-controls.py"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
