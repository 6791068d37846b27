import Layers
import Tensors

// Adversarial training of the generator (ELECTRA, appendix F). Sampling has no gradient, so the
// generator learns by policy gradient (REINFORCE with a baseline; Williams 1992). The reward R of
// the sample at a masked position is the discriminator's loss there, and the gradient is
//
//     d/d generator = -(R - b) d log p(sample),      b = -log sigmoid(w h + c)
//
// The baseline b estimates the expected reward from the generator's hidden state h. It learns by
// cross-entropy with target e^-R, that is b -> R; its gradient does not flow into the encoder.
//
// Rewards exist only after the discriminator's pass, which overwrites the generator's activations.
// So the generator runs forward twice: once to sample, once before its backward pass.

/// The baseline of the policy gradient: an estimate of the expected reward at a position.
package struct RewardBaseline: Sendable {
  let score: Linear

  init(_ sizes: EncoderSizes, in layout: inout ParameterLayout) {
    score = Linear(
      "generator_baseline", input: sizes.hiddenSize, output: 1,
      standardDeviation: EncoderSizes.headStandardDeviation, in: &layout)
  }
}

/// The baselines and advantages of one policy gradient step.
package struct PolicyGradientOutcome: Sendable {
  /// The baseline b at each masked position. (K)
  package var baselines: [Double] = []
  /// The advantage R - b times the weight of a position: the weight of the sample's loss. (K)
  package var weights: [Float] = []
}

extension MicroBatchPass {
  /// The rewards of the samples: the discriminator's losses at the masked positions. (K)
  ///
  /// `outcome` is the discriminator's for `tokens` (N).
  package func rewards(_ outcome: DiscriminatorOutcome, _ tokens: [Int32]) -> [Double] {
    masked.positions.map { position in
      let t = Int(position)
      return sigmoidCrossEntropy(logit: outcome.logits[t], label: tokens[t] != batch.tokens[t]).loss
    }
  }

  /// Adds the policy gradient of the generator and the gradient of its baseline.
  ///
  /// - Parameters:
  ///   - samples: the tokens that the generator drew at the masked positions. (K)
  ///   - rewards: the reward of each sample. (K)
  ///   - weight: the weight of one masked position in the loss.
  /// - Returns: the baselines and weights; empty without samples or without a baseline.
  package func accumulatePolicyGradient(
    _ samples: [Int32], rewards: [Double], weight: Float
  ) -> PolicyGradientOutcome {
    var result = PolicyGradientOutcome()
    guard let generator = model.generator, let baseline = model.baseline, !samples.isEmpty else {
      return result
    }
    let pass = pass.withoutProgress
    _ = predict(
      masked.tokens, generator, pass,
      PredictionTargets(positions: masked.positions, tokens: samples),
      weights: { head in
        let scores = arena.tensor(1, samples.count)
        head.hidden.values.dotRows(
          weight: pass.weights[baseline.score.weight],
          bias: pass.weights[baseline.score.bias][0, 0], into: scores.base)
        for (k, reward) in rewards.enumerated() {
          let expected = sigmoidCrossEntropy(logit: scores.base[k], label: true).loss
          result.baselines.append(expected)
          result.weights.append(Float(reward - expected) * weight)
          // The derivative of the cross-entropy between e^-R and sigmoid(score) = e^-b.
          let error = naturalExponential(-expected) - naturalExponential(-reward)
          scores.base[k] = Float(error) * weight
        }
        // The gradient of the hidden states, discarded: the baseline does not train the encoder.
        let discarded = arena.tensor(samples.count, head.hidden.columns)
        head.hidden.values.dotRowsBackward(
          outputGradients: scores.base, weight: pass.weights[baseline.score.weight],
          weightGradient: pass.gradient(baseline.score.weight),
          biasGradient: pass.gradient(baseline.score.bias), into: discarded)
        return result.weights
      })
    return result
  }
}
