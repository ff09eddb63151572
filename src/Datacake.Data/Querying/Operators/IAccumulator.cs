namespace Datacake.Data.Querying.Operators;

/// <summary>The aggregate of one group while its elements are read.</summary>
interface IAccumulator<in TElement>
{
    /// <summary>Gets the aggregate of the elements that were added.</summary>
    object Result { get; }

    /// <summary>Adds a number of equal elements.</summary>
    void Add(TElement element, long count);
}
