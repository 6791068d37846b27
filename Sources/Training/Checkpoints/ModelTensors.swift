import Foundation
import Platform

/// The tensors of a model: those of one safetensors file, or of several files with an index.
///
///     let tensors = try ModelTensors(folder: "model")
///     try tensors.copyFloats(of: "electra.embeddings.LayerNorm.bias", into: pointer)
///
/// The index is that of transformers, `model.safetensors.index.json`: its `weight_map` names the
/// file of each tensor. Tensors that it does not name are ignored.
package struct ModelTensors: Sendable {
  /// The file, or the index of several, for messages.
  package let path: String
  /// The tensors, in the order of the files and of their data.
  package private(set) var entries: [SafetensorsFile.Entry]
  private let files: [SafetensorsFile]
  /// The index in `files` of each tensor.
  private let locations: [String: Int]
  /// The names of the two terms of each tensor that is a sum.
  private var sums: [String: (String, String)] = [:]

  /// The file of a model in one file, and the index of a model in several.
  package static let fileName = "model.safetensors"
  static let indexName = fileName + ".index.json"

  /// Whether a folder has a model.
  package static func exist(in folder: String) -> Bool {
    [fileName, indexName].contains {
      FileManager.default.fileExists(atPath: folder + "/" + $0)
    }
  }

  /// Opens the model of a folder; `model.safetensors` wins over an index, as in transformers.
  ///
  /// Throws `SafetensorsError.badIndex`, and the errors of `SafetensorsFile`.
  package init(folder: String) throws {
    let file = folder + "/" + Self.fileName
    let index = folder + "/" + Self.indexName
    if !FileManager.default.fileExists(atPath: file),
      FileManager.default.fileExists(atPath: index)
    {
      try self.init(index: index, folder: folder)
    } else {
      try self.init(path: file)
    }
  }

  /// Opens one file.
  package init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    self.path = path
    (files, entries) = ([file], file.entries)
    locations = Dictionary(entries.map { ($0.name, 0) }) { first, _ in first }
  }

  private init(index path: String, folder: String) throws {
    func bad(_ reason: String) -> SafetensorsError { .badIndex(path: path, reason: reason) }
    let object = FileManager.default.contents(atPath: path)
      .flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
    guard let map = object?["weight_map"] as? [String: String], !map.isEmpty else {
      throw bad("it has no weight_map of tensors to files")
    }
    self.path = path
    var files: [SafetensorsFile] = []
    var entries: [SafetensorsFile.Entry] = []
    var locations: [String: Int] = [:]
    for name in Set(map.values).sorted() {
      guard !name.contains("/"), name.hasSuffix(".safetensors") else {
        throw bad("\(name) is not the name of a safetensors file in its folder")
      }
      guard FileManager.default.fileExists(atPath: folder + "/" + name) else {
        throw FileError.unreadable(
          path: folder + "/" + name, reason: "there is no such file, but \(path) names it")
      }
      let file = try SafetensorsFile(path: folder + "/" + name)
      for entry in file.entries where map[entry.name] == name {
        entries.append(entry)
        locations[entry.name] = files.count
      }
      files.append(file)
    }
    if let lost = map.keys.sorted().first(where: { locations[$0] == nil }) {
      throw bad("\(map[lost] ?? "") has no tensor \(lost)")
    }
    (self.files, self.entries, self.locations) = (files, entries, locations)
  }

  /// The CRC-32C of the file, or those of all files; empty if one cannot be read.
  package var checksum: String {
    let checksums = files.map { CheckpointState.checksum(of: $0.path) }
    return checksums.contains(nil) ? "" : checksums.compactMap(\.self).joined(separator: " ")
  }

  /// Ignores all rows of the tensors `names` from row `count` on.
  package mutating func limitRows(of names: Set<String>, to count: Int) {
    entries = entries.map { entry in
      guard names.contains(entry.name), let rows = entry.shape.first, rows > count else {
        return entry
      }
      return SafetensorsFile.Entry(
        name: entry.name, type: entry.type, shape: [count] + entry.shape.dropFirst(),
        bytes: entry.bytes)
    }
  }

  /// Replaces the tensor `difference` by its sum with `base`, under the name `name`.
  ///
  /// Does nothing unless both exist and have the same shape.
  package mutating func replace(_ difference: String, withSumOf base: String, as name: String) {
    guard let index = entries.firstIndex(where: { $0.name == difference }),
      entries[index].shape == entry(base)?.shape
    else { return }
    let entry = entries[index]
    entries[index] = SafetensorsFile.Entry(
      name: name, type: entry.type, shape: entry.shape, bytes: entry.bytes)
    sums[name] = (difference, base)
  }

  /// The entry called `name`; nil if there is none.
  package func entry(_ name: String) -> SafetensorsFile.Entry? {
    entries.first { $0.name == name }
  }

  /// Copies the values of a floating-point tensor, in row-major order, to `target`.
  ///
  /// `target` must have room for them. Throws `missingTensor` or `wrongType`.
  package func copyFloats(
    of name: String, into target: UnsafeMutablePointer<Float>
  ) throws(SafetensorsError) {
    guard let entry = entry(name), let location = locations[sums[name]?.0 ?? name] else {
      throw .missingTensor(path: path, name: name)
    }
    // Rows come one after another, so the rows that are kept are the first values.
    try files[location].copyFloats(
      of: sums[name]?.0 ?? name, range: 0..<entry.count, into: target)
    guard let (_, base) = sums[name] else { return }
    var addends = [Float](repeating: 0, count: entry.count)
    try addends.withUnsafeMutableBufferPointer { buffer throws(SafetensorsError) in
      if let start = buffer.baseAddress { try copyFloats(of: base, into: start) }
    }
    for i in addends.indices { target[i] += addends[i] }
  }
}
