using Datacake.Data.Querying;

namespace Datacake.Data.Metadata;

/// <summary>A codec that knows collections of its type.</summary>
interface IElementCodec
{
    /// <summary>Tells how collections of the type, or of its nullable, compare.</summary>
    IReadOnlyList<ElementEquality> Equalities { get; }
}
