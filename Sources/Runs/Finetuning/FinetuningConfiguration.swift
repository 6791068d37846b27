import Finetuning
import Foundation
import Models

/// Everything that affects the result of a fine-tuning: `finetuning.json` of its folder.
package struct FinetuningConfiguration: Codable, Equatable {
  var formatVersion = 1
  package var model: FinetunedFolder.Description
  /// The CRC-32C of the encoder's file; empty for new weights.
  package var encoder: String
  /// The CRC-32C of the training sequences and their targets.
  package var data: String
  /// The fingerprints of the sets that are scored: they choose the best epoch and are in the
  /// results.
  var measured: [String]
  package var recipe: FinetuningRecipe
  /// The scale of a regression's targets in training; nil for other problems.
  package var targetScale: TargetScale?
  /// The number of folds of a cross-validation; nil for none.
  package var folds: Int?
  /// The number of parameters of an encoder with new weights, which has no checksum; nil for a
  /// pre-trained encoder, and in older files.
  var newParameters: Int?

  private enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case model
    case encoder = "encoder_checksum"
    case data = "data_checksum"
    case measured = "measured_data"
    case recipe
    case targetScale = "target_scale"
    case folds
    case newParameters = "new_parameters"
  }

  /// Why a configuration that was read cannot be used, as a sentence; nil where it can.
  ///
  /// The settings that options do not repeat may have been edited.
  var problem: String? {
    formatVersion == 1
      ? recipe.problem(positions: .max)
      : "its format is \(formatVersion), which this program does not support"
  }

  /// The differences from the configuration of an existing fine-tuning; nil where there are none.
  ///
  /// They are a list that names the options.
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
      parts.append("its columns differ (--text, --text2 or --label)")
    }
    if old.labels != new.labels { parts.append("the labels of its training data differ") }
    compare("--head", old.head.rawValue, new.head.rawValue)
    if existing.encoder != encoder {
      if existing.encoder.isEmpty || encoder.isEmpty {
        compare("--scratch", "\(existing.encoder.isEmpty)", "\(encoder.isEmpty)")
      } else {
        parts.append("it began with another encoder (--from)")
      }
    } else if existing.newParameters != newParameters {
      parts.append("its new weights have the sizes of another encoder (--from)")
    }
    if existing.data != data {
      parts.append("its training data differ (--data or --train, their columns, or --length)")
    }
    if existing.data == data && existing.targetScale != targetScale {
      parts.append("it scales its targets otherwise, as an older version of this program did")
    }
    compare("--folds", existing.folds.map(String.init) ?? "none", folds.map(String.init) ?? "none")
    if existing.folds == folds && existing.measured != measured {
      parts.append(
        "its dev data, or labelled test data, differ (--data, --dev or --test; use electra predict "
          + "for other files)")
    }
    parts += try recipeDifferences(from: existing)
    return parts.joined(separator: ", ")
  }

  /// The settings of the recipes that differ, each with its option.
  private func recipeDifferences(from existing: FinetuningConfiguration) throws -> [String] {
    let (was, now) = (try fields(existing.recipe), try fields(recipe))
    return Set(was.keys).union(now.keys).sorted().filter { was[$0] != now[$0] }.map { key in
      "\(Self.options[key] ?? key) is \(was[key] ?? "none") there and \(now[key] ?? "none") here"
    }
  }

  /// The settings of a recipe by their keys.
  private func fields(_ recipe: FinetuningRecipe) throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(recipe))
    return (object as? [String: Any] ?? [:]).mapValues { value in
      (value as? [String])?.joined(separator: " ") ?? "\(value)"
    }
  }

  /// The option that sets each key of the recipe.
  private static let options = [
    "max_seq_length": "--length", "train_batch_size": "--batch", "num_train_epochs": "--epochs",
    "learning_rate": "--learning-rate", "layerwise_lr_decay": "--layer-decay",
    "warmup_proportion": "--warmup", "dropout": "--dropout", "slices": "--slices",
    "micro_batch_tokens": "--micro-batch", "seed": "--seed", "arithmetic": "--arithmetic",
    "class_weights": "--class-weights",
  ]
}
