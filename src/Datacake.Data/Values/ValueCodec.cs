using System.ComponentModel;
using Datacake.Data.Values;
using Datacake.EventualConsistency;

namespace Datacake.Data.CodeGeneration;

/// <summary>The description of the values that a codec writes and reads. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class ValueCodec
{
    internal ValueCodec()
    {
    }

    /// <summary>Gets the stored properties, if the values are objects.</summary>
    protected virtual IReadOnlyList<ObjectMember> Members => [];

    /// <summary>Gets the structure of the values.</summary>
    internal virtual ValueShape Shape => new ObjectShape(Members);
}

/// <summary>A codec that writes and reads values of a type as MessagePack. Immutable and thread-safe. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class ValueCodec<T> : ValueCodec
{
    /// <summary>Writes a value.</summary>
    public abstract void Write(ValueWriter writer, T value);

    /// <summary>Reads a value.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public abstract T Read(ref ValueReader reader);

    /// <summary>Reads a value from an index. Supported only by codecs whose values are exactly as written there.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    internal virtual T ReadIndexed(ref OrderedKeyReader reader) => throw new NotSupportedException($"{typeof(T)} cannot be read from an index.");

    /// <summary>Reports the objects and items within a value that violate the rules of their classes.</summary>
    public virtual void Check(T value, ValueProblems problems)
    {
    }
}
