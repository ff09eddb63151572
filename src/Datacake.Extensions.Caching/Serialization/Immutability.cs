using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace Datacake.Extensions.Caching.Serialization;

/// <summary>Says whether values of a type cannot change, so that all callers may share one.</summary>
static class Immutability<T>
{
    /// <summary>Gets whether the type is immutable: a structure without references, a string, an address or version, or a sealed class with the attribute <c>[ImmutableObject(true)]</c>.</summary>
    public static bool IsImmutable { get; } = !RuntimeHelpers.IsReferenceOrContainsReferences<T>()
        || typeof(T) == typeof(string) || typeof(T) == typeof(Uri) || typeof(T) == typeof(Version)
        || (typeof(T).IsSealed && Attribute.GetCustomAttribute(typeof(T), typeof(ImmutableObjectAttribute)) is ImmutableObjectAttribute { Immutable: true });
}
