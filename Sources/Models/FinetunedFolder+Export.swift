import Finetuning
import Foundation
import Platform
import Tensors
import Training

extension FinetunedFolder {
  /// Copies the model to a new folder, with the weights in `format`, and adds a model card.
  ///
  /// Returns the class of transformers that loads the folder. Throws `UsageError` where there is
  /// none, and `FileError.exists` for an existing folder.
  package func export(to output: String, _ format: ModelFile.Format = .init()) throws -> String {
    guard let architecture = description.architecture else {
      throw UsageError(
        "transformers has no model with the reference head; fine-tune with --head transformers")
    }
    // Where the folder is a symbolic link, the files to copy are in its target.
    let source = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let isCopy = try format == .init() && Self.isFloat32(source)
    let folder = try makeFolder(output)
    for name in try FileManager.default.contentsOfDirectory(atPath: source)
    where !Folder.isFolder("\(source)/\(name)") && (isCopy || !name.contains(".safetensors")) {
      try DurableFile.copy(
        "\(source)/\(name)", to: "\(folder.partial)/\(name)", fault: FaultInjection.hook)
    }
    if !isCopy {
      try ModelFile.export(
        weights(), model.layout, to: folder.partial, format, fault: FaultInjection.hook,
        naming: { $0 })
      let configuration = try Self.configurationFile(
        model, description, tokenizer, weights: format.type)
      try DurableFile.write(Array(configuration), to: folder.partial + "/config.json")
    }
    try DurableFile.write(Array(card(architecture).utf8), to: folder.partial + "/README.md")
    try folder.publish()
    return architecture
  }

  /// Whether all weights of a folder are float32.
  private static func isFloat32(_ folder: String) throws -> Bool {
    try ModelTensors(folder: folder).entries.allSatisfy { $0.type == .float32 }
  }

  /// The text of `README.md`.
  private func card(_ architecture: String) -> String {
    let task = description.task
    let names = description.labels.names.joined(separator: ", ")
    let labels = names.isEmpty ? "" : ", with the labels \(names)"
    let arithmetic =
      description.arithmetic?.roundsFactors == true ? ", in bfloat16 arithmetic" : ""
    let scale =
      task.scoreScale == 1 ? "" : "\n\nThe score is the output times \(task.scoreScale)."
    return """
      ---
      library_name: transformers
      tags:
      - electra
      ---
      # ELECTRA for \(task.title)

      An ELECTRA-style encoder (Clark, Luong, Le and Manning 2020) fine-tuned on \(task.title): \
      \(task.problem.rawValue)\(labels)\(arithmetic).\(scale)

      ```python
      from transformers import AutoTokenizer, \(architecture)

      tokenizer = AutoTokenizer.from_pretrained(".")
      model = \(architecture).from_pretrained(".")
      ```

      """
  }
}
