import Foundation

/// A study at several amounts of compute as one SVG picture: the mean score of each system over
/// the budget, on a logarithmic axis, and a small circle for each seed.
struct StudyCurves {
  private static let colors = ["#1f5fa8", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#555"]
  private let study: Study

  init(_ study: Study) { self.study = study }

  /// The picture as a self-contained file.
  var svg: String {
    let points = study.systems.compactMap { system in
      system.budget.map { (name: system.name, budget: $0, sample: study.means(system)) }
    }
    let names = points.reduce(into: [String]()) {
      if !$0.contains($1.name) { $0.append($1.name) }
    }
    let scores = study.decisiveScores.joined(separator: " and ")
    var chart = Chart(
      "mean of \(scores)", frame: (70, 80, 640, 340),
      x: ChartAxis(
        holding: points.map { $0.budget / 1e6 }, isLogarithmic: true, name: "million tokens"
      ) { String(format: "%g", $0) },
      y: ChartAxis(holding: points.flatMap(\.sample.values)) { String(format: "%g", $0) })
    var legend = SVG()
    for (index, name) in names.enumerated() {
      let color = Self.colors[index % Self.colors.count]
      let curve = points.filter { $0.name == name && $0.sample.mean != nil }
        .sorted { $0.budget < $1.budget }
      chart.line(curve.map { ($0.budget / 1e6, $0.sample.mean ?? 0) }, SVG.Stroke(color))
      for point in curve {
        for value in point.sample.values {
          chart.mark(point.budget / 1e6, value, color: color, isFull: false, radius: 2.5)
        }
        chart.mark(point.budget / 1e6, point.sample.mean ?? 0, color: color, isFull: true)
      }
      let y = 100 + 22 * Double(index)
      legend.circle((736, y - 4), radius: 4.5, fill: color)
      legend.text(name, (748, y))
    }
    var picture = chart.svg
    picture.add(legend)
    return picture.document(
      title: "Score over the compute of pre-training", width: 960, height: 480, fontSize: 13)
  }
}
