using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

/// <summary>A codec that writes entities as their keys, so that they compare as their keys do.</summary>
sealed class KeyCodec(EntityModel entity) : IOrderedCodec
{
    /// <summary>Gets the model of the entity class.</summary>
    public EntityModel Entity => entity;

    public bool TryWriteOrdered(OrderedKeyWriter writer, object? value)
    {
        if (value is null)
        {
            writer.WriteNull();
            return true;
        }
        if (!entity.Type.IsInstanceOfType(value))
            return false;
        foreach (var property in entity.Key)
        {
            if (!property.OrderedCodec!.TryWriteOrdered(writer, property.GetValue(value)))
                return false;
        }
        return true;
    }

    public void CopyOrdered(ReadOnlySpan<byte> value, OrderedKeyWriter writer) => throw new NotSupportedException("An entity is not a stored value.");
}
