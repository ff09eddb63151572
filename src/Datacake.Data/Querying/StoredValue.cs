using System.Linq.Expressions;
using System.Reflection;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>
/// The value of an expression that depends on one stored property alone. It is read without creating the entity, which would cost more than
/// the value. Immutable.
/// </summary>
abstract class StoredValue<T, TValue>
    where T : class
{
    /// <summary>Returns the stored value of an expression over an entity; null if the expression needs the entity.</summary>
    public static StoredValue<T, TValue>? Of(EntityModel<T> model, Expression<Func<T, TValue>> selector)
    {
        var body = selector.Body;
        // The conversion cannot throw, and neither can the accessors that the compiler generates.
        var named = body is UnaryExpression { NodeType: ExpressionType.Convert, Method: null or { Name: "op_Implicit" } } convert ? convert.Operand : body;
        if (named is not MemberExpression { Expression: ParameterExpression, Member: PropertyInfo member }
            || model.FindProperty(member.Name) is not { Kind: PropertyKind.Value, IsConverted: false } property || property.Type != named.Type
            || model.Classes.Count > 0 || !model.IsReadablePartially || !property.HasGeneratedAccessors(member, typeof(T)))
            return null;
        int slot = Array.FindIndex(model.Paths, path => path.Name == property.StoredName);
        return slot < 0 ? null : property.OrderedCodec switch
        {
            ValueCodec<TValue> codec when named == body => new Property<TValue>(model.Paths, slot, codec, static value => value),
            ValueCodec<int> codec when named.Type == typeof(int) => Converted(codec),
            ValueCodec<long> codec when named.Type == typeof(long) => Converted(codec),
            ValueCodec<float> codec when named.Type == typeof(float) => Converted(codec),
            ValueCodec<double> codec when named.Type == typeof(double) => Converted(codec),
            ValueCodec<decimal> codec when named.Type == typeof(decimal) => Converted(codec),
            _ => null,
        };

        Property<TProperty> Converted<TProperty>(ValueCodec<TProperty> codec)
        {
            var value = Expression.Parameter(typeof(TProperty), member.Name);
            return new(model.Paths, slot, codec, model.Expressions.Compile(Expression.Lambda<Func<TProperty, TValue>>(((UnaryExpression)body).Update(value), value)));
        }
    }

    /// <summary>Gets the index of the property's path among those of the model.</summary>
    public abstract int Slot { get; }

    /// <summary>Reads the value from a document. Returns false if the entity has to be created, because the value is missing or not as expected.</summary>
    public abstract bool TryRead(DocumentView document, out TValue value);

    /// <summary>Reads the value from an index entry that is not cut off. Returns false if the entity has to be created.</summary>
    /// <param name="indexValue">The encoded value of the entry.</param>
    /// <param name="column">The index of the column.</param>
    /// <param name="value">The value.</param>
    public abstract bool TryRead(ReadOnlySpan<byte> indexValue, int column, out TValue value);

    sealed class Property<TProperty>(CellPath[] paths, int slot, ValueCodec<TProperty> codec, Func<TProperty, TValue> convert) : StoredValue<T, TValue>
    {
        readonly byte[] _path = paths[slot].Property;

        public override int Slot => slot;

        public override bool TryRead(DocumentView document, out TValue value)
        {
            if (document.TryGetValue(_path, out var encoded) && new ValueReader(encoded) is { IsNil: false } reader)
            {
                try
                {
                    value = convert(codec.Read(ref reader));
                    return true;
                }
                catch (InvalidDataException)
                {
                    // The entity says what is wrong.
                }
            }
            value = default!;
            return false;
        }

        public override bool TryRead(ReadOnlySpan<byte> indexValue, int column, out TValue value)
        {
            try
            {
                var reader = new OrderedKeyReader(indexValue);
                for (int i = 0; i < column; i++)
                    reader.ReadEncoded();
                if (!reader.TryReadNull())
                {
                    value = convert(codec.ReadIndexed(ref reader));
                    return true;
                }
            }
            catch (InvalidDataException)
            {
                // The entity says what is wrong.
            }
            value = default!;
            return false;
        }
    }
}
