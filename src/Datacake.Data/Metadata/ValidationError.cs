using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>An error in one property of one entity.</summary>
/// <param name="Entity">The name of the entity class.</param>
/// <param name="Key">The key of the entity.</param>
/// <param name="Property">The name of the property; for a nested property, a path such as <c>Address.City</c>.</param>
/// <param name="Problem">The problem, phrased to follow the name of the property.</param>
public sealed record ValidationError(string Entity, DocumentKey Key, string Property, string Problem)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Property} of the {Entity} {Key} {Problem}";
}
