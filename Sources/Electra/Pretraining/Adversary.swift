import Layers
import Tensors

// The generator against the discriminator (ELECTRA, appendix F). Sampling has no gradient, so it learns
// by policy gradient (Williams 1992): at each drawn position the reward R is the discriminator's loss
// there, and
//
//     d/d generator = -(R - b) d log p(sample),      b = -log sigmoid(w h + c)
//
// The baseline b reads the generator's encoder h; it learns by cross-entropy to be the reward, and its
// gradient stays out of the encoder. Sampling, the discriminator's pass and the generator's backward
// pass follow each other in one memory, so the generator runs forward twice.

/// The baseline of the policy gradient: what reward is usual at a position.
package struct RewardBaseline: Sendable {
  let score: Linear

  init(_ sizes: EncoderSizes, in layout: inout ParameterLayout) {
    score = Linear(
      "generator_baseline", input: sizes.hiddenSize, output: 1,
      standardDeviation: EncoderSizes.headStandardDeviation, in: &layout)
  }
}

/// What a policy gradient step made of the drawn positions.
package struct ReinforcementOutcome: Sendable {
  /// b at each. (K)
  package var baselines: [Double] = []
  /// (R - b) times the position's share, which is what the loss of its sample weighs. (K)
  package var weights: [Float] = []
}

extension MicroBatchPass {
  /// The rewards of the drawn positions (K): the discriminator's losses of what stands there.
  package func rewards(_ verdict: DiscriminatorOutcome, _ tokens: [Int32]) -> [Double] {
    masked.positions.map { position in
      let t = Int(position)
      return sigmoidCrossEntropy(logit: verdict.logits[t], label: tokens[t] != batch.tokens[t]).loss
    }
  }

  /// A step of the generator towards samples that the discriminator gets wrong.
  ///
  /// - Parameters:
  ///   - samples: what it drew at the masked positions. (K)
  ///   - rewards: what each earned. (K)
  ///   - share: what a masked position weighs.
  package func reinforce(
    _ samples: [Int32], rewards: [Double], share: Float
  ) -> ReinforcementOutcome {
    var result = ReinforcementOutcome()
    guard let generator = model.generator, let baseline = model.baseline, !samples.isEmpty else {
      return result
    }
    let pass = pass.quiet
    _ = predict(
      masked.tokens, generator, pass,
      PredictionTargets(positions: masked.positions, tokens: samples),
      weights: { head in
        let scores = arena.tensor(1, samples.count)
        head.hidden.dotRows(
          weight: pass.weights[baseline.score.weight],
          bias: pass.weights[baseline.score.bias][0, 0], into: scores.base)
        for (k, reward) in rewards.enumerated() {
          let usual = sigmoidCrossEntropy(logit: scores.base[k], label: true).loss
          result.baselines.append(usual)
          result.weights.append(Float(reward - usual) * share)
          // Cross-entropy against e^-R.
          let error = naturalExponential(-usual) - naturalExponential(-reward)
          scores.base[k] = Float(error) * share
        }
        let unused = arena.tensor(samples.count, head.hidden.columns)
        head.hidden.dotRowsBackward(
          outputGradients: scores.base, weight: pass.weights[baseline.score.weight],
          weightGradient: pass.gradient(baseline.score.weight),
          biasGradient: pass.gradient(baseline.score.bias), into: unused)
        return result.weights
      })
    return result
  }
}
