using System.Collections;
using Datacake.Data.CodeGeneration;

namespace Datacake.Data.Values;

/// <summary>The structure of the values of a type, for code that writes them in another form than the store does.</summary>
abstract record ValueShape;

/// <summary>The shape of single values.</summary>
/// <param name="Type">The type of the values as they are stored; an enumeration for one that has no converter.</param>
/// <param name="ToStored">Returns the value that is stored, for values that have a converter; otherwise null.</param>
sealed record ScalarShape(Type Type, Func<object, object?>? ToStored = null) : ValueShape
{
    /// <summary>Returns the value that is stored.</summary>
    public object? StoredOf(object? value) => value is null || ToStored is null ? value : ToStored(value);
}

/// <summary>The shape of collections with an order.</summary>
/// <param name="Item">The shape of the items.</param>
/// <param name="ItemsOf">Returns the items of a collection; null if there is no collection.</param>
sealed record ListShape(ValueShape Item, Func<object, IEnumerable?> ItemsOf) : ValueShape;

/// <summary>The shape of objects that are stored as one value.</summary>
/// <param name="Members">The stored properties.</param>
sealed record ObjectShape(IReadOnlyList<ObjectMember> Members) : ValueShape;
