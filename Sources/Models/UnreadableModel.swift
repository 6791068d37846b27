import Foundation
import Platform
import Training

/// The error for a path where there is no model that the program reads.
///
/// The sentence names what the path is instead (a name on the Hugging Face hub, a file, a folder in
/// another format) and what to do.
func unreadableModel(_ path: String) -> FileError {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
    return .unreadable(path: path, reason: "there is no such folder" + hubAdvice(path))
  }
  guard isFolder.boolValue else {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
    return .unreadable(
      path: path, reason: "it is a file; give the folder of the model, such as \(parent)")
  }
  let names = (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
  return .unreadable(
    path: path,
    reason: ForeignFormat(names: names, path: path)?.advice
      ?? "it has no model: neither checkpoints of a run nor model.safetensors with config.json")
}

/// How to download `path`, if it looks like the name of a model on the Hugging Face hub; else
/// empty.
private func hubAdvice(_ path: String) -> String {
  let parts = path.split(separator: "/", omittingEmptySubsequences: false)
  let isName = parts.allSatisfy { part in
    part.first.map { $0.isLetter || $0.isNumber } == true
      && part.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
  }
  let isKnown = path.contains("bert") || path.contains("electra")
  guard isName, parts.count == 2 || parts.count == 1 && isKnown, let name = parts.last,
    parts.count == 1 || !FileManager.default.fileExists(atPath: String(parts[0]))
  else { return "" }
  return "; electra downloads nothing: if it is a model of the Hugging Face hub, "
    + "hf download \(path) --local-dir \(name) makes the folder \(name)"
}

/// A format of models that the program does not read, with advice how to convert it.
private struct ForeignFormat {
  let advice: String

  /// Recognizes the format by the names of the folder's files; nil for an unknown one.
  init?(names: [String], path: String) {
    let model = ModelClass(folder: path)
    func lacking(_ name: String) -> String { "it has \(name) and no model.safetensors" }
    if ModelTensors.exist(in: path) && !names.contains("state.json") {
      advice = "it is a model of transformers; give a run of pretrain or one of its checkpoints"
    } else if let name = names.first(where: { $0.hasPrefix("pytorch_model") }) {
      advice = "\(lacking(name)); \(model.conversion(path)) makes it"
    } else if names.contains("tf_model.h5") {
      advice =
        "\(lacking("tf_model.h5")); with transformers 4 and tensorflow, "
        + "\(model.conversion(path, "from_tf=True")) makes it"
    } else if names.contains("flax_model.msgpack") {
      advice =
        "\(lacking("flax_model.msgpack")); with transformers 4 and flax, "
        + "\(model.conversion(path, "from_flax=True")) makes it"
    } else if let name = names.first(where: { $0.hasSuffix(".index") }) {
      advice =
        "it is a TensorFlow checkpoint; with transformers 4 and tensorflow, and its config.json "
        + "and vocab.txt beside it, \(model.conversion(path, checkpoint: String(name.dropLast(6)))) "
        + "makes model.safetensors"
    } else if names.contains("adapter_config.json") {
      advice =
        "it is an adapter of peft and not a model; merge it with merge_and_unload and save the "
        + "model with save_pretrained"
    } else if let name = names.first(where: { $0.hasSuffix(".onnx") || $0.hasSuffix(".gguf") }) {
      advice = "\(lacking(name)), and a model for inference cannot be converted back"
    } else if let name = names.last(where: { Self.isModel("\(path)/\($0)") }) {
      advice = "the models are folders in it; give one of them, such as \(path)/\(name)"
    } else {
      return nil
    }
  }

  private static func isModel(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/config.json") && ModelTensors.exist(in: path)
  }
}

/// The class of transformers that loads a folder, and the Python commands that convert it.
private struct ModelClass {
  private let name: String
  private let isELECTRA: Bool

  /// Reads the class from the folder's `config.json`; by default an ELECTRA discriminator.
  init(folder: String) {
    let configuration =
      FileManager.default.contents(atPath: folder + "/config.json")
      .flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] } ?? [:]
    isELECTRA = configuration["model_type"] as? String ?? "electra" == "electra"
    let named = (configuration["architectures"] as? [String])?.first ?? ""
    let isIdentifier = !named.isEmpty && named.allSatisfy { $0.isASCII && $0.isLetter }
    name = isIdentifier ? named : isELECTRA ? "ElectraForPreTraining" : "AutoModel"
  }

  /// The command that adds `model.safetensors` to the folder.
  func conversion(_ path: String, _ option: String? = nil) -> String {
    let arguments = option.map { ", \($0)" } ?? ""
    return "python -c \"from transformers import \(name) as M; "
      + "M.from_pretrained('\(path)'\(arguments)).save_pretrained('\(path)')\""
  }

  /// The command that converts a checkpoint of TensorFlow 1.
  func conversion(_ path: String, checkpoint: String) -> String {
    let kind = isELECTRA ? "electra" : "bert"
    let module = "transformers.models.\(kind).modeling_\(kind)"
    let model = isELECTRA ? "ElectraForPreTraining" : "BertForPreTraining"
    let part = isELECTRA ? ", 'discriminator'" : ""
    return "python -c \"import \(module) as e; "
      + "m = e.\(model)(e.\(isELECTRA ? "Electra" : "Bert")Config.from_pretrained('\(path)')); "
      + "e.load_tf_weights_in_\(kind)(m, m.config, '\(path)/\(checkpoint)'\(part)); "
      + "m.save_pretrained('\(path)')\""
  }
}

/// Throws if a file of a model's folder is only a Git LFS pointer, whose file was not fetched.
func expectNoPointers(_ path: String) throws {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
  for name in names.sorted()
  where [".json", ".safetensors", ".txt"].contains(where: name.hasSuffix) {
    let file = path + "/" + name
    guard let handle = FileHandle(forReadingAtPath: file) else { continue }
    defer { try? handle.close() }
    guard try handle.read(upToCount: 23) == Data("version https://git-lfs".utf8) else { continue }
    throw FileError.unreadable(
      path: file,
      reason: "it is a Git LFS pointer and not the file; git -C \(path) lfs pull fetches the file")
  }
}
