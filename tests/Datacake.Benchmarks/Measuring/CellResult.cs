namespace Datacake.Benchmarks.Measuring;

/// <summary>A measured cell.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="Measurements">Those of its systems, ours first.</param>
sealed record CellResult(Cell Cell, IReadOnlyList<Measurement> Measurements)
{
    /// <summary>The targets of the cell whose figures were measured.</summary>
    public IEnumerable<(Target Target, double Figure)> Targets
    {
        get
        {
            foreach (var target in Cell.Targets)
            {
                if (target.Figure(Measurements) is { } figure)
                    yield return (target, figure);
            }
        }
    }
}
