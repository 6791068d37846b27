import Corpus
import Foundation
import Layers
import Tokenization

extension ShardSet {
  /// The entropy of the unigram distribution of tokens, in nats.
  ///
  /// It is estimated from up to 2,048 training and as many held-out examples, which is within a few
  /// hundredths of that of all data. Special tokens except [UNK] do not count: they are never
  /// masked.
  func unigramEntropy(seed: UInt64) throws -> Double {
    let most = 2048
    var counts = [Int](repeating: 0, count: vocabulary.size)
    if trainCount > 0 {
      let training = 0..<min(most, trainCount)
      for token in try batch(step: 0, sequences: training, firstSample: 0, seed: seed).tokens {
        counts[Int(token)] += 1
      }
    }
    let others = min(most, heldOutCount)
    if others > 0 {
      for token in try heldOut(0..<others, of: others).tokens { counts[Int(token)] += 1 }
    }
    let special = vocabulary.special
    for token in special.all where token != special.unknown { counts[Int(token)] = 0 }
    return entropy(ofCounts: counts)
  }
}

/// An estimate of the entropy in nats of the distribution from which these counts were sampled.
///
/// The plug-in estimate is too low for a finite sample; (kinds - 1) / 2N corrects for that on
/// average (Miller 1955). No counts give 0.
func entropy(ofCounts counts: [Int]) -> Double {
  let total = Double(counts.reduce(0, +))
  guard total > 0 else { return 0 }
  let shares = counts.filter { $0 > 0 }.map { Double($0) / total }
  return shares.reduce(0) { $0 - $1 * log($1) } + Double(shares.count - 1) / (2 * total)
}
