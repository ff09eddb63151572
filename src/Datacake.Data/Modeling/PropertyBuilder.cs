using System.ComponentModel;

namespace Datacake.Data;

/// <summary>The builder of a property in <see cref="DatacakeContext.OnModelCreating"/>. Its declarations override attributes.</summary>
/// <typeparam name="TProperty">The type of the property, without its nullability.</typeparam>
public abstract class PropertyBuilder<TProperty>
{
    private protected PropertyBuilder()
    {
    }

    /// <summary>Sets whether null is rejected before anything is stored.</summary>
    public abstract PropertyBuilder<TProperty> IsRequired(bool required = true);

    /// <summary>Sets the maximum length of a string, or number of elements.</summary>
    public abstract PropertyBuilder<TProperty> HasMaxLength(int length);

    /// <summary>Makes the property a counter; see <see cref="CounterAttribute"/>.</summary>
    public abstract PropertyBuilder<TProperty> IsCounter();

    /// <summary>Makes the property a counter with bounds; see <see cref="CounterAttribute"/>.</summary>
    /// <param name="minimum">The minimum, or null if there is none.</param>
    /// <param name="maximum">The maximum, or null if there is none.</param>
    public abstract PropertyBuilder<TProperty> IsCounter(long? minimum, long? maximum);

    /// <summary>Makes the property say when its entity expires; see <see cref="ExpiresAttribute"/>.</summary>
    public abstract PropertyBuilder<TProperty> IsExpiry();

    /// <summary>
    /// Makes a save fail with an <see cref="EntityConflictException"/> if the local store has a different value of the property than was
    /// read, as <c>[ConcurrencyCheck]</c> does.
    /// </summary>
    public abstract PropertyBuilder<TProperty> IsConcurrencyToken(bool concurrencyToken = true);

    /// <summary>Sets the name that the property had when it was first stored; see <see cref="FormerNameAttribute"/>.</summary>
    public abstract PropertyBuilder<TProperty> HasFormerName(string name);

    /// <summary>
    /// Stores the property in the form that a function produces, and reads it with another one. The functions use only their argument and
    /// static members. See <see cref="ValueConverter{TProperty, TStored}"/> for their requirements.
    /// </summary>
    public abstract PropertyBuilder<TProperty> HasConversion<TStored>(
        Func<TProperty, TStored> toStored, Func<TStored, TProperty> fromStored);

    /// <summary>
    /// Stores the property through a converter, which is a class derived from <see cref="ValueConverter{TProperty, TStored}"/>.
    /// With <see cref="string"/>, stores an enumeration by the names of its values.
    /// </summary>
    public abstract PropertyBuilder<TProperty> HasConversion<TConverter>();

    /// <summary>
    /// Generates a key that no other node generates, when an entity is added whose key is 0 or empty. This is the default if the only key
    /// property is a <see cref="long"/>, a <see cref="ulong"/> or a <see cref="Guid"/>. In a serial class, an <see cref="int"/> or a
    /// <see cref="long"/> gets the next number of a sequence without gaps when a new entity is saved: the only key property by default, and any
    /// other property for which this method is called.
    /// </summary>
    public abstract PropertyBuilder<TProperty> ValueGeneratedOnAdd();

    /// <summary>Keeps the key as it is when an entity is added, even if it is 0 or empty.</summary>
    public abstract PropertyBuilder<TProperty> ValueGeneratedNever();

    /// <summary>Not supported. Use <see cref="HasFormerName"/>.</summary>
    [Obsolete("There are no columns. Set the name in the store with HasFormerName(name).", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasColumnName(string name);

    /// <summary>Not supported. Write an initializer for the property.</summary>
    [Obsolete("A property that is not in the store has the value that the class gives it. Write an initializer for the property.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasDefaultValue(object? value);

    /// <summary>Not supported. Use <see cref="IsConcurrencyToken"/>.</summary>
    [Obsolete("There is no database that numbers the versions of an entity. Call IsConcurrencyToken() for a property that you set with each change.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> IsRowVersion();

    /// <summary>Not supported. Write an initializer for the property.</summary>
    [Obsolete("There is no SQL. Write an initializer for the property.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasDefaultValueSql(string sql);

    /// <summary>Not supported. There are no columns.</summary>
    [Obsolete("There are no columns. The type or the converter of a property determines how it is stored.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasColumnType(string typeName);

    /// <summary>Not supported, because it is not needed.</summary>
    [Obsolete("A decimal keeps all its digits, and a date its ticks. Remove the call.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasPrecision(int precision, int scale = 0);

    /// <summary>Not supported, because it is not needed.</summary>
    [Obsolete("All strings are Unicode. Remove the call.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> IsUnicode(bool unicode = true);

    /// <summary>Not supported. Compute the value in the class.</summary>
    [Obsolete("There is no SQL. Compute the value in a property without a setter, or in an interceptor before each save.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasComputedColumnSql(string sql);

    /// <summary>Not supported. Write the comment in the class.</summary>
    [Obsolete("There is no database to hold the comment. Write it in the class.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasComment(string comment);
}
