import Corpus
import Foundation
import Layers
import Tokenization

extension ShardSet {
  /// The entropy of the frequencies of tokens, in nats, from up to 2,048 training examples and as many
  /// held-out ones: more would change it by a few hundredths. Tokens that are never masked do not count.
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

/// The entropy of the distribution that a sample of so many of each kind was drawn from, in nats, with
/// what a sample misses of it on average (Miller 1955).
func entropy(ofCounts counts: [Int]) -> Double {
  let total = Double(counts.reduce(0, +))
  guard total > 0 else { return 0 }
  let shares = counts.filter { $0 > 0 }.map { Double($0) / total }
  return shares.reduce(0) { $0 - $1 * log($1) } + Double(shares.count - 1) / (2 * total)
}
