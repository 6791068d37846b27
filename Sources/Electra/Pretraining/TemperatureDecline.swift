import Layers
import Tensors

/// The decline of the temperature of the generator's samples.
///
///     T(u) = T + (T0 - T) e^(-u / tau)
///
/// (Fast-ELECTRA, Dong et al. 2023, arXiv 2310.07347.) u is the fraction of the phase's steps
/// that are done, in two-stage training of those of the second stage, and T the temperature of the
/// task. A temperature above T makes samples easy to detect at first.
package struct TemperatureDecline: Sendable, Equatable {
  /// T0, the temperature of the first step.
  package let start: Float
  /// tau, the fraction of the steps in which the distance from T falls to 1/e.
  package let decay: Double
  /// The steps of the phase that train the discriminator; before them the temperature is `start`.
  package let steps: Range<Int>

  package init(start: Float, decay: Double, steps: Range<Int>) {
    (self.start, self.decay, self.steps) = (start, decay, steps)
  }

  /// The default of tau.
  static let usualDecay = 0.1

  /// The temperature at `step`, counted over the whole run, where it declines to `end`.
  func temperature(at step: Int, to end: Float) -> Float {
    let done = Double(max(0, step - steps.lowerBound)) / Double(max(1, steps.count))
    return end + (start - end) * Float(naturalExponential(-done / decay))
  }
}

extension PretrainingObjective {
  /// The temperature of the samples of a training step.
  package func temperature(at step: Int) -> Float {
    let end = model.task.temperature
    return temperatureDecline?.temperature(at: step, to: end) ?? end
  }
}

extension PretrainingConfiguration.Recipe {
  /// Replaces the decline of a schedule of `steps` steps by its rest after the first `done`, for a
  /// schedule that begins there.
  ///
  /// After the last step the temperature is that of the task.
  package mutating func continueDecline(after done: Int, of steps: Int) {
    guard let start = fields.temperatureStart else { return }
    guard done < steps else {
      (fields.temperatureStart, fields.temperatureDecay) = (nil, nil)
      return
    }
    let decay = fields.temperatureDecay ?? TemperatureDecline.usualDecay
    let decline = TemperatureDecline(start: start, decay: decay, steps: 0..<steps)
    fields.temperatureStart = decline.temperature(at: done, to: task.temperature)
    fields.temperatureDecay = decay * Double(steps) / Double(steps - done)
  }
}
