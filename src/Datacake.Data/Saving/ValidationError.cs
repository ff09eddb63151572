using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>What is wrong with one property of one entity.</summary>
/// <param name="Entity">The entity class.</param>
/// <param name="Key">The entity's key.</param>
/// <param name="Property">The property; nested ones are joined by dots.</param>
/// <param name="Problem">What is wrong, as the rest of a sentence about the property.</param>
public sealed record ValidationError(string Entity, DocumentKey Key, string Property, string Problem)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Property} of the {Entity} {Key} {Problem}";
}
