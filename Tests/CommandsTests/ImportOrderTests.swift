import Foundation
import Testing

/// Imports point downward only: SwiftPM would let a transitive import pass, this does not.
struct ImportOrderTests {
  /// What each room may import of ours, and of C.
  private static let allowed: [String: Set<String>] = [
    "Platform": [],
    "Tensors": ["COpenBLAS"],
    "Tokenization": ["Platform"],
    "Collectives": ["CMPI", "Tensors"],
    "Layers": ["Tensors"],
    "Corpus": ["Tokenization", "Layers", "Platform"],
    "Electra": ["Layers", "Tensors", "Tokenization"],
    "Training": ["Layers", "Tensors", "Collectives", "Platform"],
    "Finetuning": [
      "Layers", "Tensors", "Tokenization", "Corpus", "Electra", "Training", "Platform",
    ],
    "Commands": [
      "Tensors", "Tokenization", "Collectives", "Layers", "Corpus", "Electra", "Training",
      "Finetuning", "Platform",
    ],
  ]

  private static let sources = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources")

  private static func imports(_ room: String) throws -> Set<String> {
    let folder = sources.appendingPathComponent(room).path
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
    var found: Set<String> = []
    for file in files where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ").drop { $0 == "package" || $0 == "public" }
        if words.first == "import", let name = words.dropFirst().last { found.insert(String(name)) }
      }
    }
    return found
  }

  @Test(arguments: allowed.keys.sorted())
  func importsPointDownward(room: String) throws {
    let ours = Set(Self.allowed.keys).union(["CMPI", "COpenBLAS"])
    let imported = try Self.imports(room)
    #expect(!imported.isEmpty)
    #expect(imported.intersection(ours).isSubset(of: Self.allowed[room] ?? []))
  }

  @Test
  func everyRoomHasARule() throws {
    let rooms = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path)
    let targets = rooms.filter { !$0.hasPrefix(".") && !["CMPI", "COpenBLAS"].contains($0) }
    #expect(Set(targets) == Set(Self.allowed.keys))
  }

  @Test
  func kernelsAndLayersNeedNoFoundation() throws {
    for room in ["Tensors", "Layers"] {
      #expect(try !Self.imports(room).contains("Foundation"))
    }
  }
}
