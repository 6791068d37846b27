import Foundation
import Testing

/// Imports point downward only; SwiftPM itself allows transitive imports.
struct ImportOrderTests {
  /// The targets from the lowest level to the highest, each with the modules that it may import.
  private static let allowed: [String: Set<String>] = {
    var allowed: [String: Set<String>] = [
      "Platform": ["CSystem"],
      "Tensors": ["CKernels", "COpenBLAS", "Platform"],
      "Tokenization": ["Platform"],
      "Collectives": ["CMPI", "Tensors", "Platform"],
      "Layers": ["Tensors"],
      "Corpus": ["Layers", "Tensors", "Tokenization", "Platform"],
      "Electra": ["Layers", "Tensors", "Tokenization"],
      "Training": ["Layers", "Tensors", "Collectives", "Platform"],
      "Finetuning": ["Electra", "Layers", "Tensors", "Tokenization", "Platform"],
    ]
    // From here on, a target may import every Swift target below it.
    for target in ["Models", "Runs", "Reports", "Commands"] {
      allowed[target] = Set(allowed.keys)
    }
    allowed["Commands"]?.insert("ArgumentParser")
    return allowed
  }()

  private static let cTargets: Set<String> = ["CKernels", "CSystem", "COpenBLAS", "CMPI"]

  private static let sources = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources")

  /// The imports of each file of a target, including sub-folders.
  private static func imports(_ target: String) throws -> [String: Set<String>] {
    let folder = sources.appendingPathComponent(target).path
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
    return try files.filter { $0.hasSuffix(".swift") }.reduce(into: [:]) { found, file in
      found[file] = importedModules(
        try String(contentsOfFile: folder + "/" + file, encoding: .utf8))
    }
  }

  private static func importedModules(_ text: String) -> Set<String> {
    Set(
      text.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ").drop { $0 == "package" || $0 == "public" }
        return words.first == "import" ? words.dropFirst().last.map(String.init) : nil
      })
  }

  /// The imports of `files` that break the order, as `file: module`.
  private static func violations(_ files: [String: Set<String>], of target: String) -> [String] {
    let ordered = Set(allowed.keys).union(cTargets).union(["ArgumentParser"])
    return files.flatMap { file, modules in
      modules.intersection(ordered).subtracting(allowed[target] ?? []).map { "\(file): \($0)" }
    }
  }

  @Test(arguments: allowed.keys.sorted())
  func importsPointDownward(target: String) throws {
    let files = try Self.imports(target)
    #expect(files.values.contains { !$0.isEmpty }, "\(target) has files, and they import something")
    #expect(Self.violations(files, of: target) == [])
  }

  @Test
  func anImportThatPointsUpwardIsFoundInASubfolder() {
    let modules = Self.importedModules("import Foundation\npackage import Training\n")
    #expect(
      Self.violations(["Model/Network.swift": modules], of: "Electra")
        == ["Model/Network.swift: Training"])
    #expect(Self.violations(["Step/Worker.swift": ["ArgumentParser"]], of: "Training").count == 1)
  }

  @Test
  func everyTargetHasARule() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path)
    let targets = folders.filter { !$0.hasPrefix(".") && !Self.cTargets.contains($0) }
    #expect(Set(targets) == Set(Self.allowed.keys))
  }

  @Test(arguments: cTargets.sorted())
  func everyCTargetHasOneSwiftTarget(library: String) throws {
    let users = try Self.allowed.keys.filter { target in
      try Self.imports(target).values.contains { $0.contains(library) }
    }
    #expect(users.count == 1, "\(users)")
  }

  @Test
  func kernelsAndLayersNeedNoFoundation() throws {
    for target in ["Tensors", "Layers"] {
      #expect(try Self.imports(target).values.allSatisfy { !$0.contains("Foundation") })
    }
  }
}
