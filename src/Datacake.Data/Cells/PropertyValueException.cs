namespace Datacake.Data.Cells;

/// <summary>The exception thrown when a property has a value that cannot be stored.</summary>
/// <param name="property">The name of the property.</param>
/// <param name="problem">The problem, phrased to follow the name of the property.</param>
/// <param name="innerException">The exception that reported the problem.</param>
sealed class PropertyValueException(string property, string problem, Exception? innerException = null)
    : ArgumentException($"The property {property} {problem}", innerException)
{
    public string Property { get; } = property;

    public string Problem { get; } = problem;
}
