import Foundation
import Models
import TestSupport
import Testing

/// The errors for folders without a model that the program reads.
struct UnreadableModelTests {
  private func problem(_ path: String) -> String {
    sentence { _ = try PretrainedDiscriminator(from: path) }
  }

  @Test(arguments: [
    (["pytorch_model.bin"], "ElectraForPreTraining as M; M.from_pretrained("),
    (["tf_model.h5"], "from_tf=True"), (["flax_model.msgpack"], "from_flax=True"),
    (["model.ckpt-1000.index"], "load_tf_weights_in_electra(m, m.config, "),
    (["adapter_config.json"], "merge_and_unload"),
    (["model.onnx"], "a model for inference cannot be converted back"),
    (["a/config.json", "a/model.safetensors"], "give one of them, such as "),
    (["notes.txt"], "it has no model: neither checkpoints of a run nor model.safetensors"),
  ])
  func aFormatIsRecognisedByItsFiles(names: [String], advice: String) throws {
    let folder = try TemporaryFolder()
    for name in names { try folder.write("{}", name) }
    let problem = problem(folder.path)
    #expect(problem.hasPrefix("cannot read \(folder.path): ") && problem.contains(advice))
  }

  /// The class in the command is the one that the configuration names.
  ///
  /// A name that is not an identifier must not get into a command.
  @Test(arguments: [
    (#"{"model_type":"bert","architectures":["BertForMaskedLM"]}"#, "import BertForMaskedLM as M"),
    (#"{"model_type":"bert"}"#, "import AutoModel as M"),
    (#"{"architectures":["x'; rm -r ."]}"#, "import ElectraForPreTraining as M"),
  ])
  func theClassIsThatOfTheConfiguration(configuration: String, part: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("", "pytorch_model.bin")
    try folder.write(configuration, "config.json")
    #expect(problem(folder.path).contains(part), "\(problem(folder.path))")
  }

  @Test
  func namesOfTheHubComeWithTheCommandThatFetchesThem() {
    #expect(
      problem("google/electra-small-discriminator").contains(
        "hf download google/electra-small-discriminator --local-dir electra-small-discriminator"))
    #expect(problem("bert-base-uncased").contains("hf download bert-base-uncased"))
    #expect(!problem("my-run").contains("hf download"))
    #expect(!problem("/a/bert/model").contains("hf download"))
  }

  @Test
  func aFileAndAPointerAreNamed() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("", "model.safetensors")
    #expect(problem(file).contains("it is a file; give the folder of the model"))
    try folder.write("version https://git-lfs.github.com/spec/v1\n", "model.safetensors")
    #expect(problem(folder.path).contains("it is a Git LFS pointer and not the file"))
  }
}
