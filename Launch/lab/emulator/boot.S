# Starts products.c on a bare machine: a boot sector that loads the image, enters 64-bit mode with
# AVX-512 and AMX enabled and calls `main`. AT&T syntax, as clang and gcc read it without options.

  .section .boot, "ax"
  .code16
  .globl boot
boot:
  xorw %ax, %ax
  movw %ax, %ds
  movw %ax, %ss
  movw $0x7c00, %sp
  movw $sectors, %si              # load the rest of the image behind this sector (INT 13, AH 42)
  movb $0x42, %ah
  movb $0x80, %dl
  int $0x13
  cli                             # there are no handlers of interrupts in 64-bit mode
  jc end16
  inb $0x92, %al                  # address line 20: memory above 1 MB
  orb $2, %al
  outb %al, $0x92

  lgdt descriptors
  movl %cr4, %eax
  orl $0x40620, %eax              # PAE, OSFXSR, OSXMMEXCPT, OSXSAVE
  movl %eax, %cr4
  movl $page_table, %eax
  movl %eax, %cr3
  movl $0xC0000080, %ecx          # EFER
  rdmsr
  orl $0x100, %eax                # LME: 64-bit mode as soon as paging is on
  wrmsr
  movl %cr0, %eax
  andl $0xFFFFFFFB, %eax          # no EM
  orl $0x80000003, %eax           # PG, MP, PE
  movl %eax, %cr0
  ljmpl $8, $boot64
end16:
  hlt
  jmp end16

  .balign 8
sectors:
  .byte 16, 0
  .word 127                       # the most that BIOSes load at a time; image.ld checks the size
  .word 0, 0x7E0                  # offset and segment of the target
  .quad 1                         # the first sector
segments:
  .quad 0, 0x00AF9A000000FFFF, 0x00CF92000000FFFF
descriptors:
  .word . - segments - 1
  .long segments
  .org 510
  .word 0xAA55

  .code64
boot64:
  movw $16, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movl $0x7000, %esp
  xorl %ecx, %ecx
  xorl %edx, %edx
  movl $0x600E7, %eax             # XCR0: x87, SSE, AVX, AVX-512, AMX
  xsetbv
  call main
  movl $0x8900, %edx              # Bochs ends when this port receives the word
  leaq farewell, %rsi
  movl $8, %ecx
  rep outsb
end64:
  hlt
  jmp end64
farewell:
  .ascii "Shutdown"

  .section .pages, "a"            # virtual addresses are physical ones, in one page of 1 GB
  .balign 4096
page_table:
  .quad page_directory + 3
  .fill 511, 8, 0
page_directory:
  .quad 0x83
  .fill 511, 8, 0
