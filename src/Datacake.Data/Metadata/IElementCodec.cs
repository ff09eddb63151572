using Datacake.Data.Querying;

namespace Datacake.Data.Metadata;

/// <summary>A codec that knows the collections of its type.</summary>
interface IElementCodec
{
    /// <summary>Gets the equalities of collections of the type, or of its nullable type.</summary>
    IReadOnlyList<ElementEquality> Equalities { get; }
}
