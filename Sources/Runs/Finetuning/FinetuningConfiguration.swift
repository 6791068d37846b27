import Finetuning
import Foundation
import Models

/// Everything that decides the result of a fine-tuning; `finetuning.json` of its folder.
package struct FinetuningConfiguration: Codable, Equatable {
  var formatVersion = 1
  package var model: FinetunedFolder.Description
  /// CRC-32C of the encoder's file; empty for new weights.
  package var encoder: String
  /// CRC-32C of the training sequences and what they should be answered with.
  package var data: String
  /// What tells the measured sets from others, which choose the best epoch and are in the results.
  var measured: [String]
  package var recipe: FinetuningRecipe
  /// What a regression's scores are scaled by while it is trained.
  package var targetScale: TargetScale?

  private enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case model
    case encoder = "encoder_checksum"
    case data = "data_checksum"
    case measured = "measured_data"
    case recipe
    case targetScale = "target_scale"
  }

  /// As JSON, keys sorted.
  package func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }

  /// In what a fine-tuning that exists is another one, as a list that names the options; nil when it is
  /// the same.
  package func differences(from existing: FinetuningConfiguration) throws -> String? {
    if existing == self { return nil }
    var parts: [String] = []
    func compare(_ option: String, _ was: String, _ now: String) {
      if was != now { parts.append("\(option) is \(was) there and \(now) here") }
    }
    let (old, new) = (existing.model, model)
    if old.task.name != new.task.name {
      compare("the task", old.task.name, new.task.name)
    } else if old.task.problem != new.task.problem {
      compare("--problem", old.task.problem.rawValue, new.task.problem.rawValue)
    } else if old.task != new.task {
      parts.append("its columns are others (--text, --text2 or --label)")
    }
    if old.labels != new.labels { parts.append("the labels of its training data are others") }
    compare("--head", old.head.rawValue, new.head.rawValue)
    if existing.encoder != encoder {
      if existing.encoder.isEmpty || encoder.isEmpty {
        compare("--scratch", "\(existing.encoder.isEmpty)", "\(encoder.isEmpty)")
      } else {
        parts.append("it began with another encoder than that of --from")
      }
    }
    if existing.data != data {
      parts.append("its training data are others (--data or --train, their columns, or --length)")
    }
    if existing.data == data && existing.targetScale != targetScale {
      parts.append("it learns scores on another scale, as an older version of this program did")
    }
    if existing.measured != measured {
      parts.append(
        "its dev data, or test data with answers, are others (--data, --dev or --test; predict "
          + "answers any file)")
    }
    let (was, now) = (try fields(existing.recipe), try fields(recipe))
    for key in now.keys.sorted() {
      compare(Self.options[key] ?? key, was[key] ?? "", now[key] ?? "")
    }
    return parts.joined(separator: ", ")
  }

  private func fields(_ recipe: FinetuningRecipe) throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(recipe))
    return (object as? [String: Any] ?? [:]).mapValues { "\($0)" }
  }

  /// The options by the keys of the recipe that they set.
  private static let options = [
    "max_seq_length": "--length", "train_batch_size": "--batch", "num_train_epochs": "--epochs",
    "learning_rate": "--learning-rate", "layerwise_lr_decay": "--layer-decay",
    "warmup_proportion": "--warmup", "dropout": "--dropout", "slices": "--slices",
    "micro_batch_tokens": "--micro-batch", "seed": "--seed",
  ]
}
