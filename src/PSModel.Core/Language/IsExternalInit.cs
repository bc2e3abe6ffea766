using System.ComponentModel;

namespace System.Runtime.CompilerServices;

/// <summary>The compiler marks <c>init</c> with it.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
internal static class IsExternalInit;
