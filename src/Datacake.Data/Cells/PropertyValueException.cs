namespace Datacake.Data.Metadata;

/// <summary>A property has a value that cannot be stored.</summary>
/// <param name="property">The property.</param>
/// <param name="problem">What is wrong, as the rest of a sentence about the property.</param>
/// <param name="innerException">Where that was found.</param>
sealed class PropertyValueException(string property, string problem, Exception? innerException = null)
    : ArgumentException($"The property {property} {problem}", innerException)
{
    public string Property { get; } = property;

    public string Problem { get; } = problem;
}
