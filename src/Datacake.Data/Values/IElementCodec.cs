namespace Datacake.Data.Values;

/// <summary>A codec that knows the collections of its type.</summary>
interface IElementCodec
{
    /// <summary>Gets the equalities of collections of the type, or of its nullable type.</summary>
    IReadOnlyList<ElementEquality> Equalities { get; }
}
