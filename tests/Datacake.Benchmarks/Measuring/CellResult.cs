namespace Datacake.Benchmarks.Measuring;

/// <summary>The measurements of a cell.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="Measurements">The measurements of the systems, Datacake first.</param>
sealed record CellResult(Cell Cell, IReadOnlyList<Measurement> Measurements)
{
    /// <summary>Gets the targets of the cell whose figures were measured.</summary>
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
