/*
 * dotnet.exe and pwsh.exe, which no package has. By the name dotnet, hands its command line to hostfxr as that of `dotnet`; by any
 * other, starts the program of that name beside it. .NET lies in the folder dotnet beside its own.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

#define LONGEST 32768

typedef int (*main_function)(const int argc, const wchar_t *argv[], const wchar_t *host, const wchar_t *root, const wchar_t *application);

static wchar_t host[LONGEST], folder[LONGEST], root[LONGEST], pattern[LONGEST], library[LONGEST], application[LONGEST];

int wmain(int argc, wchar_t **argv) {
    GetModuleFileNameW(NULL, host, LONGEST);
    wcscpy(application, host);
    wcscpy(wcsrchr(application, L'.'), L".dll");
    wcscpy(folder, host);
    *wcsrchr(folder, L'\\') = 0;
    swprintf(pattern, LONGEST, L"%ls\\..\\dotnet", folder);
    GetFullPathNameW(pattern, LONGEST, root, NULL);
    swprintf(pattern, LONGEST, L"%ls\\host\\fxr\\1*", root);
    WIN32_FIND_DATAW found;
    HANDLE search = FindFirstFileW(pattern, &found);
    if (search == INVALID_HANDLE_VALUE) {
        fwprintf(stderr, L"no %ls\n", pattern);
        return 1;
    }

    FindClose(search);
    swprintf(library, LONGEST, L"%ls\\host\\fxr\\%ls\\hostfxr.dll", root, found.cFileName);
    HMODULE module = LoadLibraryW(library);
    if (module == NULL) {
        fwprintf(stderr, L"no %ls\n", library);
        return 1;
    }

    main_function run = (main_function)GetProcAddress(module, "hostfxr_main_startupinfo");
    return run(argc, (const wchar_t **)argv, host, root, application);
}
