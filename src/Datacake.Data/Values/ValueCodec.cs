namespace Datacake.Data.Metadata;

/// <summary>How values of a type are written and read as MessagePack. Immutable and thread-safe. For generated code.</summary>
public abstract class ValueCodec<T>
{
    /// <summary>Writes a value.</summary>
    public abstract void Write(ValueWriter writer, T value);

    /// <summary>Reads a value.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public abstract T Read(ref ValueReader reader);

    /// <summary>Reports what is in a value and breaks the rules of its class.</summary>
    public virtual void Check(T value, ValueProblems problems)
    {
    }
}
