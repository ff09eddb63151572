using System.ComponentModel;

namespace Datacake.Data;

/// <summary>Describes a property in <see cref="DatacakeContext.OnModelCreating"/>; what it says replaces the attributes.</summary>
/// <typeparam name="TProperty">The type of the property, without its nullability.</typeparam>
public abstract class PropertyBuilder<TProperty>
{
    private protected PropertyBuilder()
    {
    }

    /// <summary>Whether null is refused before anything is stored.</summary>
    public abstract PropertyBuilder<TProperty> IsRequired(bool required = true);

    /// <summary>The greatest length of a string, or number of elements.</summary>
    public abstract PropertyBuilder<TProperty> HasMaxLength(int length);

    /// <summary>Makes it a counter; see <see cref="CounterAttribute"/>.</summary>
    public abstract PropertyBuilder<TProperty> IsCounter();

    /// <summary>
    /// Makes a save fail with <see cref="EntityConflictException"/> if the local store has another value of it than was read, as <c>[ConcurrencyCheck]</c> does.
    /// </summary>
    public abstract PropertyBuilder<TProperty> IsConcurrencyToken(bool concurrencyToken = true);

    /// <summary>The name that it had when it was stored first; see <see cref="FormerNameAttribute"/>.</summary>
    public abstract PropertyBuilder<TProperty> HasFormerName(string name);

    /// <summary>
    /// Stores it as what two functions make of it; they use nothing but their argument and static members. See
    /// <see cref="ValueConverter{TProperty, TStored}"/> for what they promise.
    /// </summary>
    public abstract PropertyBuilder<TProperty> HasConversion<TStored>(
        Func<TProperty, TStored> toStored, Func<TStored, TProperty> fromStored);

    /// <summary>
    /// Stores it as what a converter makes of it: a class derived from <see cref="ValueConverter{TProperty, TStored}"/>. With
    /// <see cref="string"/>, an enumeration by the names of its values.
    /// </summary>
    public abstract PropertyBuilder<TProperty> HasConversion<TConverter>();

    /// <summary>
    /// A key that is 0 or empty gets a value that no other node makes when the entity is added. So do <see cref="long"/>,
    /// <see cref="ulong"/> and <see cref="Guid"/> keys of one property anyway.
    /// </summary>
    public abstract PropertyBuilder<TProperty> ValueGeneratedOnAdd();

    /// <summary>A key stays as it is when the entity is added, 0 and empty too.</summary>
    public abstract PropertyBuilder<TProperty> ValueGeneratedNever();

    /// <summary>Is called <see cref="HasFormerName"/> here.</summary>
    [Obsolete("There are no columns: give the name in the store with HasFormerName(name).", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasColumnName(string name);

    /// <summary>Is the initializer of the property here.</summary>
    [Obsolete("What is not in the store has the value that the class gives it: write an initializer for the property.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasDefaultValue(object? value);

    /// <summary>Is <see cref="IsConcurrencyToken"/> here.</summary>
    [Obsolete("No database numbers the versions of an entity: say IsConcurrencyToken() of a property that you set with each change.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> IsRowVersion();

    /// <summary>Is the initializer of the property here.</summary>
    [Obsolete("There is no SQL: write an initializer for the property.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasDefaultValueSql(string sql);

    /// <summary>Is not needed here.</summary>
    [Obsolete("There are no columns: a property is stored as its type says, or as its converter does.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasColumnType(string typeName);

    /// <summary>Is not needed here.</summary>
    [Obsolete("A decimal keeps all its digits, and dates their ticks: leave it out.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasPrecision(int precision, int scale = 0);

    /// <summary>Is not needed here.</summary>
    [Obsolete("All strings are Unicode: leave it out.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> IsUnicode(bool unicode = true);

    /// <summary>Is a property of the class here.</summary>
    [Obsolete("There is no SQL: compute the value in a property without a setter, or before each save in an interceptor.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasComputedColumnSql(string sql);

    /// <summary>Is not needed here.</summary>
    [Obsolete("No database has the comment: write it in the class.", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract PropertyBuilder<TProperty> HasComment(string comment);
}
